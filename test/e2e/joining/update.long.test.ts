import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RUNTIMES } from "../../support/control-planes.ts";
import { until } from "../../support/processes.ts";
import { Bundles } from "./bundles.ts";
import { type Host, JoiningStage } from "./stage.ts";

// Installed agents follow their control plane to another build, one after the other, and go back from one that is broken:
// the real server or Worker, script and agents, in folders that stand for hosts.

/** Two hosts follow one another in their fleet; the third is alone in its own, which holds it at first. */
const FLEETS = { "gpu-1": "default", "gpu-2": "default", "gpu-3": "other" };

/** By fleet: how a build is broken on its hosts, and what is said of it. */
const BROKEN = {
  default: { agent: "process.exit(3)", why: /it ended 3 times before the server had accepted it/ },
  other: { agent: "setInterval(() => {}, 1_000)", why: /the server had not accepted it after 4 s/ },
};

describe.each(RUNTIMES)("a control plane on %s", (runtime) => {
  let stage: JoiningStage;
  const bundles = new Bundles();
  const hosts: Record<string, Host> = {};

  beforeAll(async () => {
    stage = await JoiningStage.start(runtime);
    await letOthers("hold");
    await Promise.all(Object.entries(FLEETS).map(([name, fleet]) => install(name, fleet)));
    const file = stage.write(
      "service.yml",
      "type: service\nname: sleeper\nport: 8000\ncommands: [exec sleep $HEADRACE_PORT]\nfleets: [default]\n" +
        "resources: {cpu: 1.., memory: 1MB.., disk: 1MB..}\n",
    );
    const applied = await stage.headrace("apply", "-f", file, "-y", "-d");
    expect(applied.code, applied.output).toBe(0);
    await until(() => sleepers().length === 1, logs);
  });
  afterAll(async () => {
    await stage?.dispose();
    bundles.dispose();
  });

  async function letOthers(version: string): Promise<void> {
    const file = stage.write("other.yml", `type: fleet\nname: other\nagent: {version: ${version}}\n`);
    const { code, output } = await stage.headrace("apply", "-f", file, "-y");
    expect(code, output).toBe(0);
  }

  async function install(name: string, fleet: string): Promise<void> {
    const host = stage.host(name);
    hosts[name] = host;
    await shareNode(host);
    const made = await stage.headrace("host", "join", "--json", "--name", name, "--fleet", fleet, "--from", stage.from);
    // Short where a build that never syncs is waited for, and not where one that works may be slow.
    const trial: Record<string, string> = fleet === "other" ? { HEADRACE_TRIAL_S: "4" } : {};
    const { code, output } = await host.paste(JSON.parse(made.stdout).line, trial);
    expect(code, output).toBe(0);
  }

  /** What is there already is not fetched: a Node is large. */
  async function shareNode({ root }: Host): Promise<void> {
    const script = await (await fetch(`${stage.from}/install.sh`)).text();
    const [, sha256 = ""] = /node_sha256=([0-9a-f]{64}) node_url=''/.exec(script) ?? [];
    mkdirSync(join(root, "opt/node", sha256), { recursive: true });
    symlinkSync(process.execPath, join(root, "opt/node", sha256, "node"));
  }

  const logs = () =>
    Object.entries(hosts)
      .map(([name, { root }]) => `${name}: ${readFileSync(join(root, "data/agent.log"), "utf8")}`)
      .join("\n");
  /** The processes of the service. */
  const sleepers = () =>
    Object.values(hosts).flatMap((host) =>
      host.processes().filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").match(/^sleep\0\d{4}/)),
    );
  const builds = async () =>
    Object.fromEntries((await stage.client().hosts()).map(({ name, agentBuild }) => [name, agentBuild]));
  /** What the journal tells of updates, oldest first. */
  async function updates(): Promise<string[]> {
    const { commits } = await stage.client().journal({ after: 0, limit: 500 });
    return commits
      .flatMap(({ events }) => events)
      .filter(({ type }) => type.startsWith("host.updat"))
      .map(({ type, host }) => `${type} ${host?.slice(0, 5)}`);
  }

  test("hosts follow it to another build, one after the other, and their jobs run on", async () => {
    const before = await builds();
    const running = sleepers();
    expect(before["gpu-1"]).toBe(before["gpu-2"]);
    await stage.serveFrom(await bundles.with("another", (agent) => `${agent}\n// Another build.\n`));
    const isDone = async () => {
      const { "gpu-3": _, ...now } = await builds().catch(() => before);
      return Object.values(now).every((build) => build !== null && build !== before["gpu-1"]);
    };
    await until(isDone, logs);
    const order = await updates();
    const second = order[0] === "host.updating gpu-1" ? "gpu-2" : "gpu-1";
    const first = second === "gpu-1" ? "gpu-2" : "gpu-1";
    expect(order).toEqual([first, second].flatMap((name) => [`host.updating ${name}`, `host.updated ${name}`]));
    expect(sleepers()).toEqual(running);
    const listed = await stage.headrace("fleet", "list");
    expect(listed.stdout).toMatch(/^default .* on 2 of 2$/m);
    expect(listed.stdout).toMatch(/^other .* hold$/m);
  });

  test("a host goes back from a build that ends or never syncs, no other of its fleet is told to, and the list says so", async () => {
    const before = await builds();
    const running = sleepers();
    const { length } = await updates();
    const isOther = 'process.argv.includes("gpu-3")';
    const agent = `${isOther} ? ${BROKEN.other.agent} : ${BROKEN.default.agent};\n`;
    await stage.serveFrom(await bundles.with("broken", () => agent));
    await letOthers("server");
    await until(async () => (await updates().catch(() => [])).length === length + 4, logs);
    const news = (await updates()).slice(length);
    const of = (host: string) => news.filter((line) => line.endsWith(host));
    expect(of("gpu-3")).toEqual(["host.updating gpu-3", "host.update_failed gpu-3"]);
    const [one] = ["gpu-1", "gpu-2"].filter((host) => of(host).length > 0);
    expect(of(one!)).toEqual([`host.updating ${one}`, `host.update_failed ${one}`]);
    expect(await builds()).toEqual(before);
    expect(sleepers()).toEqual(running);
    const listed = await stage.headrace("host", "list");
    for (const [fleet, { why }] of Object.entries(BROKEN)) {
      expect(listed.stdout).toMatch(why);
      expect(listed.stdout).toContain(`No more hosts of fleet ${fleet} update`);
    }
  });
});
