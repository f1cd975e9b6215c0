import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import { LOOK_AGAIN_MS, LOST_AFTER_MS, MASS_SILENCE, RETURN_AFTER_START_MS } from "../limits.ts";

const HOSTS = ["a", "b", "c", "d", "e"];
let world: World;

/** Five hosts with one worker each. */
beforeEach(() => {
  world = new World();
  for (const id of HOSTS) world.addHost(id);
  world.apply(serviceSpec("w", [workerGroup(HOSTS.length)]));
  world.settle();
});

const statuses = () => world.summary("w").map((line) => line.slice("worker:".length));
const lost = () => statuses().filter((status) => status === "lost").length;
const types = () => world.events.map((event) => event.type).filter((type) => type.startsWith("fleet."));
const fall = (...ids: string[]) => {
  for (const id of ids) world.freeze(id, true);
};
const rise = (...ids: string[]) => {
  for (const id of ids) world.freeze(id, false);
  world.settle();
};

describe("hosts of a fleet that fall silent", () => {
  test("one by one are lost one by one", () => {
    for (const id of ["a", "b", "c"]) {
      fall(id);
      world.advance(MASS_SILENCE.windowMs + 1);
    }
    expect(types()).toEqual([]);
    const silent = world.replicas("w").filter((replica) => replica.status === "lost");
    const hosts = silent.map((replica) => world.state.tables.job.byId.get(`${replica.id}.0`)?.host);
    expect([...new Set(hosts)].sort()).toEqual(["a", "b", "c"]);
  });

  test("together, but not most of them, are lost", () => {
    fall("a", "b");
    world.advance(LOST_AFTER_MS);
    expect(lost()).toBe(2);
    expect(types()).toEqual([]);
  });

  test("most of them together: nothing is decided about them, it is said once, and time does not change it", () => {
    fall("a", "b", "c");
    world.advance(LOST_AFTER_MS);
    world.advance(3_600_000);
    expect(statuses()).toEqual(HOSTS.map(() => "ready"));
    expect(types()).toEqual(["fleet.frozen"]);
    expect(world.events.find((event) => event.type === "fleet.frozen")?.message).toContain(
      "3 of 5 hosts of fleet default fell silent together",
    );
  });

  test("that come back in time were never lost, and their fleet is decided about again", () => {
    fall(...HOSTS);
    world.advance(600_000);
    rise(...HOSTS);
    world.advance(LOST_AFTER_MS);
    expect(statuses()).toEqual(HOSTS.map(() => "ready"));
    expect(types()).toEqual(["fleet.frozen", "fleet.thawed"]);
  });

  test("those still silent when most are back have as long to come back as after a start", () => {
    fall("a", "b", "c", "d");
    world.advance(600_000);
    rise("a", "b");
    expect(types()).toEqual(["fleet.frozen", "fleet.thawed"]);
    world.advance(RETURN_AFTER_START_MS - 1);
    expect(lost()).toBe(0);
    world.advance(1);
    expect(lost()).toBe(2);
  });

  test("those still silent have that long since the last of the others came back", () => {
    fall("a", "b", "c", "d");
    world.advance(600_000);
    rise("a", "b");
    world.advance(RETURN_AFTER_START_MS - 1);
    rise("c");
    world.advance(RETURN_AFTER_START_MS - 1);
    expect(lost()).toBe(0);
    // One that comes and goes for other reasons puts nothing off.
    fall("c");
    rise("c");
    world.advance(1);
    expect(lost()).toBe(1);
  });

  test("a later one does not thaw a frozen fleet", () => {
    fall("a", "b", "c");
    world.advance(MASS_SILENCE.windowMs * 5);
    fall("d");
    world.advance(LOST_AFTER_MS);
    expect(types()).toEqual(["fleet.frozen"]);
    expect(lost()).toBe(0);
  });

  test("hosts without a link count as absent before they are called silent", () => {
    for (const id of ["a", "b", "c"]) world.state.present.delete(id);
    world.input({ kind: "host_silent", host: "a", since: world.now - LOST_AFTER_MS });
    expect(types()).toEqual(["fleet.frozen"]);
    expect(lost()).toBe(0);
  });

  test("are decided about again once hosts that were only missing have their links back", () => {
    for (const id of ["a", "b", "c"]) world.state.present.delete(id);
    world.input({ kind: "host_silent", host: "a", since: world.now });
    world.state.present.add("b");
    world.input({ kind: "host_present", host: "b" });
    expect(types()).toEqual(["fleet.frozen", "fleet.thawed"]);
  });

  test("the only host of a fleet is no mass", () => {
    const alone = new World();
    alone.addHost("a");
    alone.apply(serviceSpec("w", [workerGroup(1)]));
    alone.settle();
    alone.freeze("a", true);
    alone.advance(LOST_AFTER_MS);
    expect(alone.summary("w")).toEqual(["worker:lost", "worker:pending"]);
  });

  test("hosts that run nothing and have no link tell nothing", () => {
    const idle = ["f", "g", "h", "i", "j", "k"];
    for (const id of idle) {
      world.addHost(id);
      world.freeze(id, true);
    }
    fall("a", "b");
    world.advance(LOST_AFTER_MS);
    expect(types()).toEqual([]);
    expect(lost()).toBe(2);
  });
});

describe("the clock of a silent host", () => {
  test("starts when it was last heard of", () => {
    world.state.present.delete("a");
    world.input({ kind: "host_silent", host: "a", since: world.now - 20_000 });
    world.advance(LOST_AFTER_MS - 20_001);
    expect(lost()).toBe(0);
    world.advance(1);
    expect(lost()).toBe(1);
  });

  test("is looked at again later while the server has not read what was sent in time", () => {
    world.state.heardUpTo = world.now + LOST_AFTER_MS - 1;
    fall("a");
    world.advance(LOST_AFTER_MS);
    expect(lost()).toBe(0);
    expect([...world.state.due.values()]).toEqual([world.now + LOOK_AGAIN_MS]);
    world.state.heardUpTo += 1;
    world.advance(LOOK_AGAIN_MS);
    expect(lost()).toBe(1);
  });

  test("leaves every agent the time to come back to a controller that has just begun to listen", () => {
    const late = new World(world.now);
    for (const id of HOSTS) late.addHost(id);
    late.apply(serviceSpec("w", [workerGroup(HOSTS.length)]));
    late.settle();
    late.freeze("a", true);
    late.advance(RETURN_AFTER_START_MS - 1);
    expect(late.summary("w")).not.toContain("worker:lost");
    late.advance(1);
    expect(late.summary("w")).toContain("worker:lost");
  });

  test("leaves it to them for as long as others come back to it for the first time", () => {
    const late = new World(world.now + 1);
    for (const id of HOSTS) late.addHost(id);
    late.apply(serviceSpec("w", [workerGroup(HOSTS.length)]));
    late.settle();
    late.state.observed.clear();
    late.freeze("a", true);
    late.advance(RETURN_AFTER_START_MS - 1);
    late.sync("b");
    late.advance(RETURN_AFTER_START_MS - 1);
    // Heard before, it is not one of those that come back.
    late.sync("b");
    expect(late.summary("w")).not.toContain("worker:lost");
    late.advance(1);
    expect(late.summary("w")).toContain("worker:lost");
  });
});

describe("removing a host", () => {
  test("that has jobs is refused, with what to do", () => {
    expect(world.input({ kind: "host_removed", host: "a", force: false })).toEqual({
      kind: "refused",
      code: "conflict",
      message:
        "a runs 1 job: drain it first (headrace host drain), or remove it by force if the machine is gone for good",
    });
  });

  test("by force frees what it held and has its replicas replaced elsewhere, also in a frozen fleet", () => {
    fall("a", "b", "c");
    world.advance(LOST_AFTER_MS);
    expect(world.input({ kind: "host_removed", host: "a", force: true })).toEqual({ kind: "done" });
    world.settle();
    expect(world.state.tables.host.byId.has("a")).toBe(false);
    expect(world.state.tables.job.ids("host", "a").size).toBe(0);
    expect(statuses()).toEqual(HOSTS.map(() => "ready"));
    // Two silent against two heard of is no majority any more.
    expect(types()).toEqual(["fleet.frozen", "fleet.thawed"]);
  });

  test("that has left by itself frees what it held and has its replicas replaced elsewhere", () => {
    world.addHost("spare");
    const [job] = world.state.tables.job.ids("host", "a");
    expect(job).toBeDefined();
    expect(world.input({ kind: "host_left", host: "a" })).toEqual({ kind: "done" });
    expect(world.events.map(({ type }) => type)).toContain("host.left");
    world.settle();
    expect(world.state.tables.host.byId.has("a")).toBe(false);
    expect(statuses()).toEqual(HOSTS.map(() => "ready"));
    expect(world.input({ kind: "host_left", host: "a" })).toMatchObject({ code: "not_found" });
  });

  test("that runs nothing needs no force; one that is not there is said", () => {
    world.addHost("idle");
    expect(world.input({ kind: "host_removed", host: "idle", force: false })).toEqual({ kind: "done" });
    expect(world.input({ kind: "host_removed", host: "idle", force: false })).toMatchObject({ code: "not_found" });
  });
});
