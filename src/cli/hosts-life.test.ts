import { describe, expect, test } from "vitest";
import { EXIT } from "./exit-codes.ts";
import { gpus, PlanStage } from "./testing/plan-stage.ts";

const CHAT = `type: service
name: chat
port: 8000
commands: [python -m sglang.launch_server --model Qwen/Qwen3-8B --port 8000]
resources: {gpu: "H200:1"}
`;
const FLEET = "type: fleet\nname: rack-1\nallow:\n  privileged: true\n  host_paths: [/mnt/models]\n";

/** Chat runs on h1, and h2 is there. */
async function stage(): Promise<PlanStage> {
  const stage = await PlanStage.create();
  await stage.addHost("h1", gpus(1, "H200", 141));
  await stage.write("chat.yml", CHAT);
  await stage.apply("chat.yml");
  await stage.addHost("h2", gpus(1, "H200", 141));
  return stage;
}
/** Ids of hosts end with a digest of their tokens. */
const plain = (text: string) => text.replace(/(h\d)-[0-9a-f]{8}/g, "$1-ID");
const shown = async (on: PlanStage, ...argv: string[]) => plain(await on.shown(...argv));
/** State column of `host list`, by host. */
const states = async (on: PlanStage) =>
  (await on.run("host", "list")).out
    .split("\n")
    .slice(1, -1)
    .map((line) => line.split(/ {2,}/).slice(1, 4).join(" "));

describe("the life of a host", () => {
  test("cordoned, it gets nothing new and keeps what it has; given back, it is as before", async () => {
    await using on = await stage();
    expect(await shown(on, "host", "cordon", "h1", "--reason", "new disk")).toBe(
      "$ headrace host cordon h1 --reason new disk\nCordoned h1. `headrace host uncordon` gives it back.\n",
    );
    expect(await states(on)).toEqual(["h1 default online, cordoned", "h2 default online"]);
    const { out } = await on.run("host", "show", "h1");
    expect(out).toMatch(/^ {2}cordoned +by ann 0s ago: new disk$/m);
    expect(out).toMatch(/^chat-\S+ +worker|^chat-/m);
    await on.write("two.yml", CHAT.replace("name: chat", "name: two").replace("H200:1", "H200:1..1"));
    await on.write("three.yml", CHAT.replace("name: chat", "name: three"));
    expect((await on.run("plan", "-f", "two.yml")).out).toContain("h2");
    await on.apply("two.yml");
    expect((await on.run("plan", "-f", "three.yml")).out).toContain("is cordoned (new disk)");
    expect((await on.run("host", "uncordon", "h1")).out).toBe("h1 is given back.\n");
    expect(await states(on)).toEqual(["h1 default online", "h2 default online"]);
  });

  test("drained, it is left by a replica once another serves, and can be removed then", async () => {
    await using on = await stage();
    expect((await on.run("host", "remove", "h1", "-y")).err).toContain("h1 runs 1 job: drain it first");
    on.cli.onSleep = () => on.finishDrains();
    const { code, out } = await on.run("host", "drain", "h1");
    expect({ code, out: plain(out) }).toEqual({
      code: EXIT.ok,
      out: expect.stringMatching(
        /^chat-\S+-1 waits for chat-\S+-2 to be ready\n(chat-\S+-1 waits for its requests to end\n)?Nothing runs on h1 any more, after \d+s\.\n$/,
      ),
    });
    expect(await states(on)).toEqual(["h1 default online, drained", "h2 default online"]);
    expect((await on.run("ps", "chat")).out).toMatch(/ready +\S+ +h2|h2/);
    expect(await on.run("host", "remove", "h1", "-y")).toMatchObject({ code: EXIT.ok });
    expect(await states(on)).toEqual(["h2 default online"]);
    const { out: events } = await on.run("events");
    for (const type of ["host.draining", "host.drained", "host.removed"]) expect(events).toContain(type);
  });

  test("drained without room elsewhere, it keeps what it runs and says what would let it go on", async () => {
    await using on = await stage();
    await on.run("host", "cordon", "h2");
    on.cli.onSleep = () => on.settle();
    const { code, err } = await on.run("host", "drain", "h1", "--timeout", "10s");
    expect(code).toBe(EXIT.notReady);
    expect(plain(err)).toMatch(
      /^error: 1 replica is left on h1 after 10s: chat-\S+ waits for room for chat-\S+: fits on no host: (?=.*host h1: is being drained)(?=.*host h2: is cordoned).*; give it room elsewhere, or let the service do without one \(max_unavailable: 1\)\./,
    );
    expect(err).toContain("headrace host uncordon");
    expect(await states(on)).toEqual(["h1 default online, draining", "h2 default online, cordoned"]);
    expect((await on.run("host", "show", "h1")).out).toContain("LEAVES AFTER");
  });

  test("gone for good, it is removed by force, and what it ran runs elsewhere", async () => {
    await using on = await stage();
    on.loseMachine("h1");
    expect(await on.run("host", "remove", "h1", "--force", "-y")).toMatchObject({ code: EXIT.ok });
    await on.settle();
    expect((await on.run("host", "show", "h2")).out).toMatch(/^chat-\S+-2 /m);
    expect((await on.run("host", "cordon", "h1")).err).toContain("There is no host h1: see headrace host list");
  });
});

describe("an update of agents", () => {
  const [OLD, NEW] = ["0a".repeat(32), "0b".repeat(32)] as [string, string];

  test("that a host goes back from is said with why and how to go on, and an apply goes on", async () => {
    await using on = await stage();
    for (const host of ["h1", "h2"]) on.installed.set(host, { build: OLD, failed: null });
    on.builds.server = NEW;
    await on.settle();
    expect((await on.run("fleet", "list")).out).toMatch(
      / 0b0b0b0b0b0b on 0 of 2\ndefault: updating to 0b0b0b0b0b0b: h1\.\n$/,
    );
    const { out } = await on.run("host", "show", "h1", "--json");
    const lines = (await on.run("events", "--json")).out.trim().split("\n");
    const order = JSON.parse(lines.find((line) => line.includes("host.updating")) ?? "{}").version;
    expect(JSON.parse(out).agentUpdate).toMatchObject({ build: NEW, failed: null });
    expect((await on.run("host", "show", "h1")).out).toMatch(/^ {2}update +told to run 0b0b0b0b0b0b 0s ago$/m);

    on.installed.set("h1", { build: OLD, failed: { build: NEW, order, reason: "it ended 3 times" } });
    await on.settle();
    const list = (await on.run("host", "list")).out;
    const said = "warning: h1: build 0b0b0b0b0b0b of the agent does not run there: it ended 3 times.";
    expect(list).toContain(
      `\n\n${said} No more hosts of fleet default update: headrace apply -f its file goes on, as does another build.\n`,
    );
    expect(list.match(/it ended 3 times/g)).toHaveLength(1);
    expect(list).toMatch(/^h1-\S+ .* 1$/m);
    expect((await on.run("host", "show", "h1")).out).toMatch(/^ {2}update +to 0b0b0b0b0b0b failed: it ended 3 times$/m);
    expect((await on.run("fleet", "list")).out).toContain(
      "default: the update to 0b0b0b0b0b0b stopped: h1 does not run it",
    );

    await on.write("fleet.yml", "type: fleet\nname: default\n");
    const applied = await on.run("apply", "-f", "fleet.yml", "-y");
    expect(applied.out).toContain("  agent: update failed on 1 host -> tried again\n");
    on.installed.set("h1", { build: NEW, failed: null });
    await on.settle();
    expect((await on.run("host", "list")).out).toMatch(/^h1-.* 0\.1\.0 0b0b0b0b0b0b +1\b/m);
    expect((await on.run("host", "list")).out).not.toContain("warning:");
  });

  test("to a build that the server does not have says which there are", async () => {
    await using on = await stage();
    on.builds.server = NEW;
    await on.write("fleet.yml", "type: fleet\nname: default\nagent: {version: 4f2a90bb13c7}\n");
    expect((await on.run("apply", "-f", "fleet.yml", "-y")).out).toContain("  agent.version: server -> 4f2a90bb13c7\n");
    expect((await on.run("fleet", "list")).out).toContain(
      "default: this server does not have build 4f2a90bb13c7 of the agent: it has 0b0b0b0b0b0b.\n",
    );
  });
});

describe("the life of a fleet", () => {
  test("planned, applied, changed, listed and deleted", async () => {
    await using on = await PlanStage.create();
    await on.write("rack.yml", FLEET);
    expect(await on.shown("plan", "-f", "rack.yml")).toBe(`$ headrace plan -f rack.yml
fleet rack-1 will be created.

  allow.privileged: false -> true
  allow.host_paths: none -> /mnt/models

warning: \`allow.privileged\` lets everybody who may apply services here become root on the fleet's hosts.
`);
    expect((await on.run("plan", "-f", "rack.yml", "--detailed-exitcode")).code).toBe(EXIT.somethingToDo);
    expect((await on.run("apply", "-f", "rack.yml", "-y")).out).toMatch(/Applied\.\n$/);
    expect((await on.run("apply", "-f", "rack.yml", "-y")).out).toMatch(/^fleet rack-1 is as the file says\.\n/);
    await on.write("rack.yml", "type: fleet\nname: rack-1\novercommit: no\nblocks: 2\nplacement: cluster\n");
    expect(await on.shown("plan", "-f", "rack.yml")).toBe(`$ headrace plan -f rack.yml
fleet rack-1 (0 hosts) will be changed. What runs goes on as it is; what is placed from then on keeps to it.

  placement: any -> cluster
  blocks: auto -> 2
  overcommit: true -> false
  allow.privileged: true -> false
  allow.host_paths: /mnt/models -> none
`);
    const { out } = await on.run("apply", "-f", "rack.yml", "-y", "--json");
    expect(JSON.parse(out)).toMatchObject({ fleet: "rack-1", revision: 2, action: "update" });
    expect(await on.shown("fleet", "list")).toBe(`$ headrace fleet list
NAME     HOSTS  IN FILE  PRIVILEGED  HOST PATHS  PROCESSES  OVERCOMMIT  BLOCKS  AGENT
default  0      -        no          none        yes        yes         auto    -
rack-1   0      -        no          none        yes        no          2       -
`);
    expect((await on.run("fleet", "delete", "rack-1", "-y")).out).toBe("Deleted fleet rack-1.\n");
    expect((await on.run("fleet", "delete", "rack-1", "-y")).err).toContain(
      "there is no fleet rack-1: see headrace fleet list",
    );
  });

  test("with hosts in it is not deleted, and a plan that is stale is refused", async () => {
    await using on = await stage();
    expect((await on.run("fleet", "delete", "default", "-y")).err).toContain("fleet default has 2 hosts: remove them");
    await on.write("rack.yml", FLEET.replace("rack-1", "default"));
    expect((await on.run("apply", "-f", "rack.yml", "-y", "--revision", "3")).err).toContain("is at revision 0");
    expect(await on.run("fleet", "list", "--json")).toMatchObject({ code: EXIT.ok });
  });

  test("that names hosts keeps them, with what is not done yet said", async () => {
    await using on = await PlanStage.create();
    await on.write(
      "rack.yml",
      "type: fleet\nname: rack-1\nssh_config:\n  user: u\n  identity_file: ~/k\n  hosts: [gpu-1, gpu-2]\n",
    );
    const { out, err } = await on.run("apply", "-f", "rack.yml", "-y");
    expect(out).toContain("ssh_config.hosts.gpu-1: none -> u");
    // The fleet is made, and what its hosts would be installed from is not there.
    expect(err).toContain("There is nothing to install an agent from");
    expect((await on.run("fleet", "list")).out).toMatch(/^rack-1 +0 +2 /m);
  });
});
