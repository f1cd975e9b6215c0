import { describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { applyOf } from "../../../test/support/inputs.ts";
import { groupSpec, serviceSpec, withGpus } from "../../../test/support/specs.ts";
import type { GroupSpec } from "../../spec/types.ts";
import { planApply } from "../services/plan.ts";

const addressOf = (group: number, replica: number) => `\${{ groups[${group}].replicas[${replica}].IP_ADDRESS }}`;
const running = (name: string, command: string, over: Partial<GroupSpec> = {}) =>
  groupSpec(name, [command, "listen $HEADRACE_PORT"], over);
const scripts = (world: World) =>
  world.desired("s").map(({ group, launch }) => [group, launch.script.replace(" && listen $HEADRACE_PORT", "")]);
const reasons = (world: World) => world.replicas("s").map(({ reason }) => reason);

describe("the address of another replica", () => {
  test("is in the commands, of the replica that was asked for", () => {
    const world = new World();
    for (const id of ["a", "b"])
      world.addHost(id, { accelerators: [{ index: 0, vendor: "nvidia", name: "H200", memoryGib: 141 }] });
    const head = running("head", "serve", { count: { min: 2, max: 2 }, ...withGpus(1) });
    const joins = running("joins", `join ${addressOf(1, 0)} ${addressOf(1, 1)} $HOME $$$$`);
    world.apply(serviceSpec("s", [joins, head]));
    expect(scripts(world)).toContainEqual(["joins", "join 10.0.0.1 10.0.0.2 $HOME $$"]);
  });

  test("is waited for, in words", () => {
    const world = new World();
    world.addHost("a");
    const head = running("head", "serve", withGpus(1));
    world.apply(serviceSpec("s", [head, running("joins", `join ${addressOf(0, 0)}`)]));
    expect(scripts(world)).toEqual([]);
    expect(reasons(world)).toContain("waits for the address of replica 0 of group head");
    world.addHost("b", { accelerators: [{ index: 0, vendor: "nvidia", name: "H200", memoryGib: 141 }] });
    expect(scripts(world)).toContainEqual(["joins", "join 10.0.0.2"]);
  });

  test("is what a plan says that is waited for, and not room", () => {
    const world = new World();
    world.addHost("a");
    const spec = serviceSpec("s", [running("head", "serve", withGpus(1)), running("joins", `join ${addressOf(0, 0)}`)]);
    const { placements } = planApply(world.state, applyOf(spec), world.now);
    expect(placements.find(({ group }) => group === "joins")).toMatchObject({
      host: null,
      reasons: [{ reason: "waits for the address of replica 0 of group head", hosts: [] }],
    });
  });

  test("stays what a job was started with, while one that starts later gets the new one", () => {
    const world = new World();
    world.addHost("a");
    const joins = (count: number) => running("joins", `join ${addressOf(0, 0)}`, { count: { min: count, max: count } });
    world.apply(serviceSpec("s", [running("head", "serve"), joins(1)]));
    world.settle();
    world.addHost("b");
    world.freeze("a", true);
    world.advance(31_000);
    world.settle();
    expect(world.desired("s").filter(({ group }) => group === "head").length).toBe(2);
    world.freeze("a", false);
    world.apply(serviceSpec("s", [running("head", "serve"), joins(2)]));
    const found = scripts(world)
      .filter(([group]) => group === "joins")
      .map(([, script]) => script);
    expect(found).toContain("join 10.0.0.1");
    expect(found).toContain("join 10.0.0.2");
  });

  test("is waited for and no more where two groups ask for each other's, or for one that there is not", () => {
    const world = new World();
    world.addHost("a");
    world.apply(
      serviceSpec("s", [
        running("one", `join ${addressOf(1, 0)}`),
        running("two", `join ${addressOf(0, 0)}`),
        running("three", `join ${addressOf(3, 7)}`),
        running("four", "serve"),
      ]),
    );
    expect(scripts(world)).toEqual([["four", "serve"]]);
    expect(reasons(world).sort()).toEqual([
      "placed on a",
      "waits for the address of replica 0 of group one",
      "waits for the address of replica 0 of group two",
      "waits for the address of replica 7 of group four",
    ]);
  });
});
