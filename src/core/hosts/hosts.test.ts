import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { serviceSpec, withGpus, workerGroup } from "../../../test/support/specs.ts";
import { HOSTS_PER_PROJECT_MAX } from "../limits.ts";
import type { HostEntity } from "../state.ts";
import { step } from "../step.ts";
import { REMOVED_WHILE_JOINING } from "./hosts.ts";

let world: World;
beforeEach(() => {
  world = new World();
  world.addHost("a");
});
const host = (id = "a") => world.state.tables.host.byId.get(id) as HostEntity;
const types = () => world.events.map((event) => event.type);
const join = (id: string, machine = `m-${id}`) =>
  world.input({ kind: "host_joined", host: id, name: id, fleet: "default", machine, inventory: host().inventory });

describe("a host that joins", () => {
  test("is there, and the journal says so", () => {
    expect(world.events).toContainEqual({ type: "host.joined", host: "a", message: "a joined fleet default" });
  });

  test("twice is the host of the first time", () => {
    const { version } = world.state;
    expect(join("a", "another machine")).toEqual({ kind: "done" });
    expect(host().machine).toBe("m-a");
    expect(world.state.version).toBe(version);
  });

  test("again, for another fleet than it is in, is told so", () => {
    const input = { kind: "host_joined", host: "a", name: "a", machine: "m-a", inventory: host().inventory } as const;
    expect(world.input({ ...input, fleet: "rack-1" })).toEqual({
      kind: "refused",
      code: "conflict",
      message:
        "this host is in the fleet default by an earlier join, whose answer it did not get; " +
        "to join it to rack-1, remove it first (headrace host remove a)",
    });
    expect(host().fleet).toBe("default");
  });

  test("in the turn in which it is removed does not bring it back", () => {
    const { inventory } = host();
    const removed = { kind: "host_removed", host: "a", force: false } as const;
    const joined = { kind: "host_joined", host: "a", name: "a", fleet: "default", machine: "m-a", inventory } as const;
    const { answers, changes } = step(world.state, [removed, joined], world.now);
    expect(answers).toEqual([{ kind: "done" }, { kind: "refused", code: "conflict", message: REMOVED_WHILE_JOINING }]);
    expect(changes).toMatchObject({ puts: [], deletes: [{ kind: "host", id: "a" }] });
  });

  test("is refused once a project has as many as it may", () => {
    for (let n = 1; n < HOSTS_PER_PROJECT_MAX; n += 1) world.state.tables.host.put({ ...host(), id: `h-${n}` });
    expect(join("one-more")).toMatchObject({ kind: "refused", code: "too_many" });
    world.state.tables.host.delete("h-1");
    expect(join("one-more")).toEqual({ kind: "done" });
  });
});

describe("a report", () => {
  test("of a host that is not there, or that has not reported, is refused", () => {
    const refused = { kind: "refused", code: "not_found" };
    expect(world.input({ kind: "host_reported", host: "nobody" })).toMatchObject(refused);
    world.state.observed.delete("a");
    expect(world.input({ kind: "host_reported", host: "a" })).toMatchObject(refused);
  });

  test("of other resources is kept and told, and who waits for them is placed", () => {
    world.apply(serviceSpec("w", [workerGroup(1, withGpus(1))]));
    expect(world.summary("w")).toEqual(["worker:pending"]);
    const report = world.state.observed.get("a")?.report;
    const accelerators = [{ index: 0, vendor: "nvidia" as const, name: "H200", memoryGib: 141 }];
    if (report) report.inventory = { ...report.inventory, accelerators };
    world.input({ kind: "host_reported", host: "a" });
    expect(host().inventory.accelerators).toEqual(accelerators);
    expect(types().filter((type) => type === "host.changed")).toHaveLength(1);
    expect(world.summary("w")).toEqual(["worker:starting"]);
    world.input({ kind: "host_reported", host: "a" });
    expect(types().filter((type) => type === "host.changed")).toHaveLength(1);
  });

  test("of a warning is told once, in its own words, and is no change of what the host has", () => {
    const report = world.state.observed.get("a")?.report;
    const warn = (...warnings: string[]) => {
      if (report) report.inventory = { ...report.inventory, warnings };
      world.input({ kind: "host_reported", host: "a" });
    };
    warn("no swap");
    warn("no swap", "the disk is full");
    warn("the disk is full");
    expect(world.events.filter(({ type }) => type === "host.warning").map(({ message }) => message)).toEqual([
      "a: no swap",
      "a: the disk is full",
    ]);
    expect(types()).not.toContain("host.changed");
  });

  test("of how much was downloaded by now is kept, and is no change of what the host has", () => {
    const report = world.state.observed.get("a")?.report;
    for (const gib of [null, 0, 17]) {
      const modelCache = { path: "/models", gib };
      if (report) report.inventory = { ...report.inventory, modelCache };
      world.input({ kind: "host_reported", host: "a" });
      expect(host().inventory.modelCache).toEqual(modelCache);
    }
    expect(types()).not.toContain("host.changed");
  });

  test("of a host that was silent ends its silence", () => {
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.freeze("a", true);
    expect(host().silentSince).toBe(world.now);
    world.freeze("a", false);
    world.sync("a");
    expect(host().silentSince).toBeNull();
    expect(types()).toContain("host.returned");
  });
});
