import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import type { HostProblem } from "../../wire/index.ts";
import { REASON_LENGTH_MAX } from "../limits.ts";
import type { HostEntity } from "../state.ts";
import { whyUnwell } from "./health.ts";

const problem = (part: string): HostProblem => ({
  code: "link_down",
  part,
  accelerators: [],
  message: `${part} has lost its link`,
});

describe("what keeps new work off a host", () => {
  test("is nothing where its agent says nothing", () => {
    expect(whyUnwell({ problems: [] })).toBeNull();
  });

  test("is told in one line, the first few of many", () => {
    expect(whyUnwell({ problems: [problem("mlx5_0")] })).toBe("mlx5_0 has lost its link");
    const five = ["a", "b", "c", "d", "e"].map(problem);
    expect(whyUnwell({ problems: five })).toBe(
      "a has lost its link; b has lost its link; c has lost its link; and 2 more",
    );
    const long = Array.from({ length: 50 }, () => ({ ...problem("x"), message: "y".repeat(300) }));
    expect(whyUnwell({ problems: long })?.length).toBeLessThanOrEqual(REASON_LENGTH_MAX);
  });
});

describe("a host that is not well", () => {
  let world: World;
  beforeEach(() => {
    world = new World();
    world.addHost("a");
  });

  const host = () => world.state.tables.host.byId.get("a") as HostEntity;
  const told = () => world.events.filter(({ type }) => /^host\.(well|unwell|changed)$/.test(type));

  /** The host reports these problems. */
  function report(...problems: HostProblem[]): void {
    const observed = world.state.observed.get("a")?.report;
    if (observed) observed.inventory = { ...observed.inventory, problems };
    world.input({ kind: "host_reported", host: "a" });
  }

  test("gets nothing new until it is well; what it runs goes on", () => {
    world.apply(serviceSpec("before", [workerGroup(1)]));
    expect(world.summary("before")).toEqual(["worker:starting"]);
    report(problem("mlx5_0"));
    world.apply(serviceSpec("w", [workerGroup(1)]));
    expect(world.summary("w")).toEqual(["worker:pending"]);
    expect(world.summary("before")).toEqual(["worker:starting"]);
    report();
    expect(world.summary("w")).toEqual(["worker:starting"]);
  });

  test("is cordoned since it was first unwell, and each change is told once", () => {
    const since = world.now;
    report(problem("mlx5_0"));
    report(problem("mlx5_0"));
    world.now += 60_000;
    report(problem("mlx5_0"), problem("mlx5_1"));
    expect(host().cordons).toEqual({
      operator: null,
      health: { since, reason: "mlx5_0 has lost its link; mlx5_1 has lost its link" },
    });
    report();
    expect(host().cordons).toEqual({ operator: null, health: null });
    expect(told().map(({ message }) => message)).toEqual([
      "a gets nothing new: mlx5_0 has lost its link",
      "a gets nothing new: mlx5_0 has lost its link; mlx5_1 has lost its link",
      "a is well again",
    ]);
  });

  test("is so from the moment when it joins", () => {
    const inventory = { ...host().inventory, problems: [problem("mlx5_0")] };
    world.input({ kind: "host_joined", host: "b", name: "b", fleet: "default", machine: "m-b", inventory });
    const joined = world.state.tables.host.byId.get("b") as HostEntity;
    expect(joined.cordons.health?.reason).toBe("mlx5_0 has lost its link");
  });

  test("stays cordoned by an operator once it is well", () => {
    const operator = { since: 1, by: "ann", reason: "new disk", drain: false };
    world.state.tables.host.put({ ...host(), cordons: { operator, health: null } });
    report(problem("mlx5_0"));
    report();
    expect(host().cordons).toEqual({ operator, health: null });
  });
});
