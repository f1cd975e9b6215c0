import { describe, expect, it } from "vitest";
import { SERVICE_REQUESTS_MAX } from "./limits.ts";
import { Load } from "./load.ts";
import { World } from "./testing.ts";

describe("what is under way", () => {
  it("is bounded for each service, and given back once", () => {
    const load = new Load();
    const world = new World();
    const [busy, other] = [world.serve("busy", []), world.serve("other", [])];
    const leave = Array.from({ length: SERVICE_REQUESTS_MAX }, () => load.enter(busy));
    expect(() => load.enter(busy)).toThrow("service busy has 2048 requests under way; try again in a moment");
    load.enter(other);
    leave[0]!();
    leave[0]!();
    load.enter(busy);
    expect(() => load.enter(busy)).toThrow("try again");
  });

  it("tells a service without replicas from one without links and one at its bound", () => {
    const load = new Load();
    const world = new World();
    const link = world.host("a", () => Promise.reject(new Error("not asked")));
    const none = new Set<string>();
    expect(load.choose(world.serve("none", []), none, () => link)).toEqual({ kind: "none" });
    const entry = world.serve("qwen", ["a"]);
    expect(load.choose(entry, new Set(["r-a"]), () => link)).toEqual({ kind: "none" });
    expect(load.choose(entry, none, () => null)).toEqual({ kind: "unreachable" });
    expect(load.choose(entry, none, () => link)).toMatchObject({ kind: "target", target: { replica: "r-a" } });
    for (let i = 0; i < 512; i++) load.take("main", { replica: `r-${i}`, host: "a" });
    expect(load.choose(entry, none, () => link)).toEqual({ kind: "full" });
  });
});
