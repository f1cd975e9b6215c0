import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensurePrograms } from "../../../scripts/system-packages.ts";
import { until } from "../../support/processes.ts";
import { keygen, knownHost, type Sshd, startSshd } from "./sshd.ts";
import { type Host, JoiningStage } from "./stage.ts";

// `headrace apply` of a fleet with `ssh_config`, over the system's ssh to real SSH servers on the loopback.

let stage: JoiningStage;
const servers: Sshd[] = [];
const hosts: Host[] = [];

/** Of the hosts; the first is the machine through which the second is reached. */
const ADDRESSES = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];

beforeAll(async () => {
  ensurePrograms([
    { program: "sshd", package: "openssh-server", purpose: "hosts that are reached over SSH" },
    { program: "ssh", package: "openssh-client", purpose: "hosts that are reached over SSH" },
  ]);
  stage = await JoiningStage.start();
  for (const address of ADDRESSES) {
    const host = stage.host(`host-${address}`);
    hosts.push(host);
    servers.push(await startSshd(join(stage.folder, `sshd-${address}`), address, host.settings));
  }
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await stage?.dispose();
});

const at = (index: number) => servers[index] as Sshd;

function fleetFile(indices: number[]): string {
  const [jump] = servers as [Sshd];
  const login = ({ port, user, identityFile }: Sshd) => `port: ${port}, user: ${user}, identity_file: ${identityFile}`;
  const lines = indices.map((index) => {
    const via = index === 1 ? `, proxy_jump: {hostname: ${jump.address}, ${login(jump)}}` : "";
    return `    - {hostname: ${at(index).address}, ${login(at(index))}${via}}\n`;
  });
  return stage.write("fleet.yml", `type: fleet\nname: rack\nssh_config:\n  hosts:\n${lines.join("")}`);
}

/** What the operator's machine knows of hosts' keys; its own configuration is left out of this. */
function sshConfig(known: string[]): string {
  const file = stage.write("known_hosts", known.join(""));
  return stage.write("ssh.conf", `UserKnownHostsFile ${file}\nGlobalKnownHostsFile /dev/null\n`);
}

test("hosts are installed over SSH, through a jump too; a wrong host key is refused and named; and they are left again", async () => {
  const stranger = join(stage.folder, "stranger");
  await keygen(stranger);
  const wrong = await knownHost(at(2).address, at(2).port, stranger);
  const apply = (...flags: string[]) =>
    stage.headrace(
      "apply",
      "-f",
      join(stage.folder, "fleet.yml"),
      "-y",
      "--ssh-config",
      join(stage.folder, "ssh.conf"),
      ...flags,
    );

  fleetFile([1, 2, 3]);
  sshConfig([at(0).knownHost, at(1).knownHost, wrong]);
  const first = await apply();
  expect(first.code, first.output).toBe(1);
  expect(first.output).toMatch(/127\.0\.0\.3 {2}installed, it is 127-0-0-3-[0-9a-f]{8}/);
  expect(first.output).toContain("error: 2 of 3 hosts failed:");
  expect(first.output).toMatch(
    /127\.0\.0\.4: the host key of \[127\.0\.0\.4\]:\d+ is another than the one in \S+known_hosts:3/,
  );
  expect(first.output).toMatch(/127\.0\.0\.5: the host key of \[127\.0\.0\.5\]:\d+ is not known/);
  expect([hosts[2], hosts[3]].map((host) => host?.entries())).toEqual([[], []]);
  expect((await stage.client().hosts()).map(({ name, fleet, online }) => [name, fleet, online])).toEqual([
    ["127.0.0.3", "rack", true],
  ]);

  // The same again, once that is mended; a host that was never met is taken on the operator's word.
  sshConfig([at(0).knownHost, at(1).knownHost, at(2).knownHost]);
  const second = await apply("--accept-new-host-keys");
  expect(second.code, second.output).toBe(0);
  expect(second.output).toMatch(/127\.0\.0\.3 {2}is up to date/);
  expect(second.output).toMatch(/127\.0\.0\.4 {2}installed/);
  expect(second.output).toMatch(/127\.0\.0\.5 {2}installed/);

  // A host that the file has no more is told of, and stays.
  fleetFile([1, 3]);
  const third = await apply();
  expect(third.code, third.output).toBe(0);
  expect(third.output).toContain("127.0.0.4 is in the fleet and not in the file. It stays;");
  await until(
    async () => (await stage.client().hosts()).filter((host) => host.online).length === 3,
    () => third.output,
  );

  const left = await stage.headrace(
    "host",
    "leave",
    "127.0.0.3",
    "-f",
    join(stage.folder, "fleet.yml"),
    "-y",
    "--ssh-config",
    join(stage.folder, "ssh.conf"),
  );
  expect(left.code, left.output).toBe(0);
  expect([hosts[1]?.entries(), hosts[1]?.processes()]).toEqual([[], []]);
  expect((await stage.client().hosts()).map(({ name }) => name).sort()).toEqual(["127.0.0.4", "127.0.0.5"]);
});

test("a wrong key of the jump, and a key that is not let in, are said of the machine that they belong to", async () => {
  const stranger = join(stage.folder, "another");
  await keygen(stranger);
  const file = fleetFile([1]);
  const apply = (conf: string) => stage.headrace("apply", "-f", file, "-y", "--ssh-config", conf);
  const wrong = await apply(sshConfig([await knownHost(at(0).address, at(0).port, stranger), at(1).knownHost]));
  expect(wrong.code).toBe(1);
  expect(wrong.output).toMatch(/127\.0\.0\.3: the host key of \[127\.0\.0\.2\]:\d+ is another/);

  const { address, port, user } = at(3);
  const closed = stage.write(
    "closed.yml",
    `type: fleet\nname: closed\nssh_config:\n  identity_file: ${stranger}\n  user: ${user}\n  hosts: [{hostname: ${address}, port: ${port}}]\n`,
  );
  const conf = sshConfig([at(3).knownHost]);
  const denied = await stage.headrace("apply", "-f", closed, "-y", "--ssh-config", conf);
  expect(denied.code).toBe(1);
  expect(denied.output).toContain(`${address} does not let ${user} in with the key ${stranger}`);
});
