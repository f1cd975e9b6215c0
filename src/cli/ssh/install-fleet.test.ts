import { describe, expect, it } from "vitest";
import type { SshHost } from "../../spec/types-fleet.ts";
import { HOSTS_AT_A_TIME, installFleet } from "./install-fleet.ts";
import type { HostInstallation } from "./install-host.ts";
import type { SshOutcome } from "./run-ssh.ts";

const AGENT = "a".repeat(64);
const SCRIPT = `#!/bin/sh\nagent_sha256=${AGENT}\n`;

const host = (hostname: string, fields: Partial<SshHost> = {}): SshHost => ({
  hostname,
  port: null,
  user: "root",
  identityFile: "/key",
  proxyJump: null,
  internalIp: null,
  blocks: null,
  ...fields,
});

/** What a host says to a probe. */
const probed = (fields: Record<string, string> = {}): SshOutcome => {
  const values = { access: "root", user: "root", addresses: "10.0.0.5", host: "", ...fields, probed: "yes" };
  const stdout = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
  return { code: 0, stdout: stdout.join(""), stderr: "" };
};
const JOINED = { server: "https://h.test", fleet: "rack", host: "gpu-1-x", agent: AGENT, runs: "yes" };

/** An installation whose hosts answer as given, and what they were sent. */
function stage(answer: (hostname: string, command: string) => SshOutcome | Promise<SshOutcome>) {
  const sent: { hostname: string; command: string; input: string }[] = [];
  const tokens: string[] = [];
  const with_: HostInstallation = {
    server: "https://h.test",
    from: "https://h.test/install",
    fleet: "rack",
    network: null,
    script: SCRIPT,
    keepsBuilds: false,
    ssh: { folder: "/", config: null, acceptNew: false },
    run: async (args, input) => {
      const [hostname = "", command = ""] = args.slice(-2);
      sent.push({ hostname, command, input });
      return answer(hostname, input.includes("probed=yes") ? "probe" : "install");
    },
    makeToken: async (name) => {
      tokens.push(name);
      return `hrj_${name}`;
    },
    signal: new AbortController().signal,
  };
  const said: string[] = [];
  const go = (hosts: SshHost[], fields: Partial<HostInstallation> = {}) =>
    installFleet(hosts, { ...with_, ...fields }, (hostname, what) => said.push(`${hostname}: ${what}`));
  return { sent, tokens, said, go };
}

const installs = (hostname: string): SshOutcome => ({
  code: 0,
  stdout: `This host is ${hostname}-x, in the fleet rack. Its agent runs\n`,
  stderr: "",
});

describe("installing over SSH", () => {
  it("sends a host its settings with a token of its own, before the script and not as arguments", async () => {
    const { go, sent, said, tokens } = stage((name, what) => (what === "probe" ? probed() : installs(name)));
    const { installed } = await go([host("gpu-1", { internalIp: "10.0.0.9" })]);
    expect(installed.get("gpu-1")).toEqual({ id: "gpu-1-x", changed: true });
    expect(sent[1]).toEqual({
      hostname: "gpu-1",
      command: "sh -s",
      input:
        "HEADRACE_SERVER=https://h.test\nHEADRACE_FROM=https://h.test/install\nHEADRACE_FLEET=rack\nHEADRACE_NAME=gpu-1\n" +
        `HEADRACE_ADDRESS=10.0.0.9\nHEADRACE_JOIN_TOKEN=hrj_gpu-1\n${SCRIPT}`,
    });
    expect(tokens).toEqual(["gpu-1"]);
    expect(said).toEqual(["gpu-1: connecting ...", "gpu-1: installing ...", "gpu-1: installed, it is gpu-1-x"]);
  });

  it("goes by sudo where the login is not root", async () => {
    const { go, sent } = stage((name, what) => (what === "probe" ? probed({ access: "sudo" }) : installs(name)));
    await go([host("gpu-1")]);
    expect(sent.map(({ command }) => command)).toEqual(["sh -s", "sudo -n sh -s"]);
  });

  it("leaves a host alone that is up to date, and brings another up to date without a token", async () => {
    const { go, sent, tokens } = stage((name, what) => {
      if (what === "install") return installs(name);
      return probed({ ...JOINED, host: `${name}-x`, agent: name === "gpu-1" ? AGENT : "b".repeat(64) });
    });
    const { installed } = await go([host("gpu-1"), host("gpu-2")]);
    expect([...installed.values()].map(({ changed }) => changed)).toEqual([false, true]);
    expect(sent.map(({ hostname }) => hostname).sort()).toEqual(["gpu-1", "gpu-2", "gpu-2"]);
    expect(sent.at(-1)?.input).not.toContain("HEADRACE_JOIN_TOKEN");
    expect(tokens).toEqual([]);
  });

  it("leaves a host at another build alone where the fleet's file keeps it there", async () => {
    const { go, sent } = stage((name, what) => {
      if (what === "install") return installs(name);
      return probed({ ...JOINED, host: `${name}-x`, agent: name === "gpu-1" ? "b".repeat(64) : "" });
    });
    const { installed } = await go([host("gpu-1"), host("old")], { keepsBuilds: true });
    expect([...installed.values()].map(({ changed }) => changed)).toEqual([false, true]);
    expect(sent.map(({ hostname }) => hostname).sort()).toEqual(["gpu-1", "old", "old"]);
  });

  it("tells the others' fate from that of the host that fails, and names each reason", async () => {
    const refusal = "headrace: this host did not join, as said above. Nothing was installed.";
    const { go } = stage((name, what) => {
      if (name === "down") return { code: 255, stdout: "", stderr: "ssh: connect to host down port 22: No route" };
      if (name === "weak") return probed({ access: "none", user: "ubuntu" });
      if (name === "elsewhere") return probed({ ...JOINED, fleet: "other" });
      if (name === "mute") return { code: null, stdout: "", stderr: "" };
      if (what === "probe") return probed();
      return name === "refused" ? { code: 1, stdout: "", stderr: `warning\n${refusal}\n` } : installs(name);
    });
    const names = ["down", "weak", "elsewhere", "mute", "refused", "well"];
    const { installed, failed } = await go(names.map((name) => host(name)));
    expect([...installed.keys()]).toEqual(["well"]);
    expect(Object.fromEntries(failed)).toEqual({
      down: "ssh says: ssh: connect to host down port 22: No route",
      weak: "ubuntu is not root there, and sudo asks for a password: allow it without, or log in as root",
      elsewhere:
        "it is in the fleet other of https://h.test already. Take it out there first: /opt/headrace/leave on the host",
      mute: "no end after 90 s",
      refused: refusal,
    });
  });

  it("gives an installed host another address where the file has another one now", async () => {
    const at = (address: string) =>
      stage((name, what) => (what === "probe" ? probed({ ...JOINED, address }) : installs(name)));
    const moved = at("10.0.0.5");
    await moved.go([host("gpu-1", { internalIp: "10.0.0.9" })]);
    expect(moved.sent.at(-1)?.input).toContain("HEADRACE_ADDRESS=10.0.0.9\n");
    const same = at("10.0.0.9");
    expect((await same.go([host("gpu-1", { internalIp: "10.0.0.9" })])).installed.get("gpu-1")?.changed).toBe(false);
  });

  it("leaves the address that somebody gave the agent where the file says nothing", async () => {
    const kept = { ...JOINED, address: "192.0.2.7" };
    const current = stage((name, what) => (what === "probe" ? probed(kept) : installs(name)));
    expect((await current.go([host("gpu-1")])).installed.get("gpu-1")?.changed).toBe(false);
    const older = stage((name, what) =>
      what === "probe" ? probed({ ...kept, agent: "b".repeat(64) }) : installs(name),
    );
    await older.go([host("gpu-1")]);
    expect(older.sent.at(-1)?.input).toContain("HEADRACE_ADDRESS=192.0.2.7\n");
  });

  it("finds the address in the fleet's network, and refuses a host that has none there", async () => {
    const { go, sent } = stage((name, what) => {
      if (what === "install") return installs(name);
      return probed({ addresses: name === "in" ? "172.17.0.1 10.0.0.5" : "172.17.0.1" });
    });
    const { failed } = await go([host("in"), host("out")], { network: "10.0.0.0/24" });
    expect(sent.at(-1)?.input).toContain("HEADRACE_ADDRESS=10.0.0.5\n");
    expect([...failed]).toEqual([["out", "it has no address in the fleet's network 10.0.0.0/24; it has 172.17.0.1"]]);
  });

  it("works on no more than a few hosts at a time", async () => {
    let [now, most] = [0, 0];
    const { go } = stage(async (name, what) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return what === "probe" ? probed() : installs(name);
    });
    const { installed } = await go(Array.from({ length: 3 * HOSTS_AT_A_TIME }, (_, n) => host(`gpu-${n}`)));
    expect(installed.size).toBe(3 * HOSTS_AT_A_TIME);
    expect(most).toBe(HOSTS_AT_A_TIME);
  });

  it("ends at once, for all hosts, with an error that is not one host's", async () => {
    const { go, sent } = stage(() => probed());
    const makeToken = async () => {
      throw new Error("the server is gone");
    };
    await expect(go([host("gpu-1"), host("gpu-2")], { makeToken })).rejects.toThrow("the server is gone");
    expect(sent.every(({ input }) => input.includes("probed=yes"))).toBe(true);
  });
});
