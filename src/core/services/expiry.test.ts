import { describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import type { ServiceSpec } from "../../spec/types.ts";

const HOUR_MS = 3_600_000;

const forAnHour = (replicas: number): ServiceSpec => {
  const spec = serviceSpec("w", [workerGroup(replicas)]);
  return { ...spec, profile: { ...spec.profile, maxDurationS: 3_600 } };
};
const statusOf = (world: World) => world.state.tables.service.byId.get("w")?.status;
const dueAt = (world: World) => world.state.due.get("w") ?? null;

describe("a service with a max_duration", () => {
  test("stops by itself so long after it was first ready, and says so", () => {
    const world = new World();
    world.apply(forAnHour(2));
    // Waiting for a host is not running.
    world.advance(2 * HOUR_MS);
    world.addHost("h");
    world.settle();
    const readyAt = world.now;
    expect(world.summary("w")).toEqual(["worker:ready", "worker:ready"]);
    expect(dueAt(world)).toBe(readyAt + HOUR_MS);
    world.advance(HOUR_MS - 1);
    expect(statusOf(world)).toBe("running");
    world.advance(1);
    expect(statusOf(world)).toBe("stopping");
    expect(world.events.filter(({ type }) => type === "service.expired")).toEqual([
      { type: "service.expired", service: "w", message: "it has run for its max_duration of 3600 s" },
    ]);
    world.advance(10_000);
    world.settle();
    expect(statusOf(world)).toBe("stopped");
  });

  test("goes on counting through a change and through a time in which it was not ready", () => {
    const world = new World();
    world.addHost("h");
    world.apply(forAnHour(1));
    world.settle();
    const readyAt = world.now;
    world.advance(HOUR_MS / 2);
    world.apply(forAnHour(2));
    world.behaviour.set("w-worker-1", { state: "unready" });
    world.settle();
    expect(world.state.tables.service.byId.get("w")?.firstReadyAt).toBe(readyAt);
    world.advance(HOUR_MS / 2);
    expect(statusOf(world)).toBe("stopping");
  });

  test("counts anew once it was stopped and is applied again", () => {
    const world = new World();
    world.addHost("h");
    world.apply(forAnHour(1));
    world.settle();
    world.advance(HOUR_MS);
    world.advance(10_000);
    world.settle();
    expect(statusOf(world)).toBe("stopped");
    world.apply(forAnHour(1));
    world.settle();
    const readyAgainAt = world.now;
    world.advance(HOUR_MS - 1);
    expect(statusOf(world)).toBe("running");
    expect(dueAt(world)).toBe(readyAgainAt + HOUR_MS);
  });

  test("without one a service is never due because of it", () => {
    const world = new World();
    world.addHost("h");
    world.apply(serviceSpec("w", [workerGroup(1)]));
    world.settle();
    expect(dueAt(world)).toBeNull();
  });
});
