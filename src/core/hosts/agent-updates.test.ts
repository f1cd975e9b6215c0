import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { UPDATE_SETTLED_MS, UPDATE_WITHIN_MS } from "../limits.ts";
import type { AgentBuilds } from "./agent-builds.ts";
import { orderFor } from "./agent-updates.ts";
import { closedFleet } from "./fleets.ts";

const [OLD, NEW, NEWER] = ["0a", "0b", "0c"].map((pair) => pair.repeat(32)) as [string, string, string];

let world: World;
beforeEach(() => {
  world = new World();
  serve({ server: OLD });
});

/** Puts the state under a server with these builds. */
function switchTo(builds: Partial<AgentBuilds>): void {
  Object.assign(world.state, { agentBuilds: { server: null, kept: [], from: null, ...builds } });
}

/** The same of a server that has just begun. */
function serve(builds: Partial<AgentBuilds>): void {
  switchTo(builds);
  if (builds.server) world.input({ kind: "agent_given_out", build: builds.server });
}

function addHosts(count: number): string[] {
  const hosts = Array.from({ length: count }, (_, i) => `h${String(i).padStart(2, "0")}`);
  for (const host of hosts) {
    world.installed.set(host, { build: OLD, failed: null });
    world.addHost(host);
  }
  return hosts;
}

const orderOf = (host: string) => orderFor(world.state, world.state.tables.host.byId.get(host)!);
const told = (hosts: string[]) => hosts.filter((host) => orderOf(host) !== null);

/** The host does as it was told, and says so. */
function comeBack(host: string): void {
  world.installed.set(host, { build: orderOf(host)!.build, failed: null });
  world.sync(host);
}

function fallBack(host: string, reason = "it ended 3 times"): void {
  const { build, order } = orderOf(host)!;
  world.installed.set(host, { build: OLD, failed: { build, order, reason } });
  world.sync(host);
}

const syncAll = (hosts: string[]) => {
  for (const host of hosts) world.sync(host);
};
const apply = (agentVersion = "server") =>
  world.input({
    kind: "fleet_applied",
    fleet: "default",
    settings: { ...closedFleet("default").settings, agentVersion },
    hosts: { kind: "joined" },
    expectedRevision: null,
  });
const types = () => world.events.map(({ type }) => type).filter((type) => type.startsWith("host.updat"));

test("hosts that run what the server gives out are told nothing", () => {
  const hosts = addHosts(3);
  syncAll(hosts);
  expect(told(hosts)).toEqual([]);
  expect(types()).toEqual([]);
});

test("a host is told once another is back and has stayed, and each that is told is woken", () => {
  const hosts = addHosts(3);
  world.woken.clear();
  serve({ server: NEW });
  syncAll(hosts);
  expect(told(hosts)).toEqual(["h00"]);
  expect([...world.woken]).toEqual(["h00"]);

  comeBack("h00");
  syncAll(hosts);
  world.advance(UPDATE_SETTLED_MS - 1);
  expect(told(hosts)).toEqual([]);
  world.advance(1);
  expect(told(hosts)).toEqual(["h01"]);
  comeBack("h01");
  world.advance(UPDATE_SETTLED_MS);
  comeBack("h02");
  world.advance(UPDATE_SETTLED_MS);
  expect(told(hosts)).toEqual([]);
  expect(types()).toEqual(hosts.flatMap(() => ["host.updating", "host.updated"]));
  expect(world.state.due.has("fleet/default")).toBe(false);
});

test("a step of the roll that decides nothing writes nothing", () => {
  const hosts = addHosts(3);
  serve({ server: NEW });
  syncAll(hosts);
  const { version } = world.state;
  syncAll(hosts);
  world.advance(60_000);
  expect(world.state.version).toBe(version);
});

test("of a large fleet one in ten go at a time, those first that run the least", () => {
  const hosts = addHosts(29);
  world.sync("h00");
  serve({ server: NEW });
  syncAll(hosts);
  expect(told(hosts)).toEqual(["h00", "h01"]);
});

test("hosts that were started by hand are left alone, and those that are away are told when they are here", () => {
  const hosts = addHosts(2);
  world.addHost("by-hand");
  world.state.present.delete("h00");
  serve({ server: NEW });
  syncAll([...hosts, "by-hand"]);
  expect(told([...hosts, "by-hand"])).toEqual(["h01"]);
  comeBack("h01");
  world.advance(UPDATE_SETTLED_MS);
  expect(told(hosts)).toEqual([]);
  world.state.present.add("h00");
  world.input({ kind: "host_present", host: "h00" });
  expect(told(hosts)).toEqual(["h00"]);
});

describe("a host that went back", () => {
  let hosts: string[];
  beforeEach(() => {
    hosts = addHosts(3);
    serve({ server: NEW });
    syncAll(hosts);
    fallBack("h00");
    world.advance(UPDATE_SETTLED_MS);
    syncAll(hosts);
  });

  test("stops the update of its fleet, with a word in the journal", () => {
    expect(told(hosts)).toEqual([]);
    expect(types()).toEqual(["host.updating", "host.update_failed"]);
    expect(world.events.at(-1)?.message).toBe(
      "h00 does not run build 0b0b0b0b0b0b of the agent: it ended 3 times. No more hosts of fleet default are told to " +
        "until there is another build, or its file is applied again",
    );
  });

  test("is told again when the fleet's file is applied, which is another order to it", () => {
    const before = world.state.tables.host.byId.get("h00")?.update?.order;
    expect(apply()).toMatchObject({ kind: "applied", revision: 0, action: "update" });
    expect(told(hosts)).toEqual(["h00"]);
    expect(orderOf("h00")?.order).toBeGreaterThan(before!);
    world.sync("h00");
    expect(told(hosts)).toEqual(["h00"]);
  });

  test("is told of another build by itself", () => {
    serve({ server: NEWER });
    syncAll(hosts);
    expect(told(hosts)).toEqual(["h00"]);
    expect(orderOf("h00")?.build).toBe(NEWER);
  });

  test("counts as updated once it does run the build", () => {
    world.installed.set("h00", { build: NEW, failed: null });
    world.sync("h00");
    world.advance(UPDATE_SETTLED_MS);
    expect(told(hosts)).toEqual(["h01"]);
  });
});

test("a host that was told and is not heard of on the build stops the update after a while", () => {
  const hosts = addHosts(2);
  serve({ server: NEW });
  syncAll(hosts);
  world.state.present.delete("h00");
  world.advance(UPDATE_WITHIN_MS - 1);
  expect(types()).toEqual(["host.updating"]);
  world.advance(1);
  expect(types()).toEqual(["host.updating", "host.update_failed"]);
  expect(world.events.at(-1)?.message).toContain("it has not come back on it within 15 minutes");
  world.advance(UPDATE_SETTLED_MS);
  expect(told(hosts)).toEqual([]);
});

describe("what a fleet's file says", () => {
  test("hold leaves every host what it has, and withdraws what it was told", () => {
    const hosts = addHosts(2);
    serve({ server: NEW });
    syncAll(hosts);
    apply("hold");
    expect(told(hosts)).toEqual([]);
    apply("server");
    expect(told(hosts)).toEqual(["h00"]);
  });

  test("a build, by its start, which may be one that the server gave out before", () => {
    const hosts = addHosts(1);
    serve({ server: NEW, kept: [NEWER, OLD] });
    apply(NEWER.slice(0, 12));
    expect(orderOf(hosts[0]!)?.build).toBe(NEWER);
    apply("123412341234");
    expect(told(hosts)).toEqual([]);
  });
});

describe("two servers on one database", () => {
  test("that give out different builds take no host back and forth: the one that began last is followed", () => {
    const [host] = addHosts(1) as [string];
    serve({ server: NEW });
    world.sync(host);
    comeBack(host);
    for (let turn = 0; turn < 5; turn += 1) {
      switchTo({ server: OLD });
      world.sync(host);
      world.advance(UPDATE_SETTLED_MS);
      expect(told([host])).toEqual([]);
      switchTo({ server: NEW });
      world.sync(host);
      world.advance(UPDATE_SETTLED_MS);
    }
    expect(types()).toEqual(["host.updating", "host.updated"]);
  });

  test("both give out the build of the one that began last, where both have it", () => {
    const hosts = addHosts(1);
    serve({ server: NEW });
    switchTo({ server: OLD, kept: [NEW] });
    syncAll(hosts);
    expect(orderOf("h00")?.build).toBe(NEW);
  });

  test("one that began last and has the build of before brings the fleet back to it", () => {
    const hosts = addHosts(1);
    serve({ server: NEW });
    syncAll(hosts);
    comeBack("h00");
    serve({ server: OLD });
    expect(orderOf("h00")?.build).toBe(OLD);
    expect(world.events.at(-2)?.message).toBe(
      "the server gives out build 0a0a0a0a0a0a of the agent, and not 0b0b0b0b0b0b any more",
    );
  });
});

describe("a host that is on its way to a build that is not wanted any more", () => {
  test("is told of the other one first, and nobody beside it", () => {
    const hosts = addHosts(3);
    serve({ server: NEW });
    syncAll(hosts);
    world.state.present.delete("h00");
    serve({ server: NEWER });
    syncAll(["h01", "h02"]);
    expect(told(hosts)).toEqual([]);
    world.state.present.add("h00");
    world.sync("h00");
    expect(told(hosts)).toEqual(["h00"]);
    expect(orderOf("h00")?.build).toBe(NEWER);
  });

  test("holds up the others no longer than one that is wanted", () => {
    const hosts = addHosts(3);
    serve({ server: NEW });
    syncAll(hosts);
    world.state.present.delete("h00");
    serve({ server: NEWER });
    world.advance(UPDATE_WITHIN_MS - 1);
    expect(told(hosts)).toEqual([]);
    world.advance(1);
    expect(told(hosts)).toEqual(["h01"]);
    expect(world.events.at(-2)?.message).toBe(
      "h00 does not run build 0b0b0b0b0b0b of the agent: it has not come back on it within 15 minutes",
    );
  });

  test("and goes back from it, is free for the other", () => {
    const hosts = addHosts(2);
    serve({ server: NEW });
    syncAll(hosts);
    const { build, order } = orderOf("h00")!;
    world.state.present.delete("h00");
    serve({ server: OLD });
    world.installed.set("h00", { build: OLD, failed: { build, order, reason: "it ended 3 times" } });
    world.state.present.add("h00");
    world.sync("h00");
    expect(world.events.at(-1)?.message).toBe("h00 does not run build 0b0b0b0b0b0b of the agent: it ended 3 times");
    expect(told(hosts)).toEqual([]);
    expect(world.state.due.has("fleet/default")).toBe(false);
  });
});
