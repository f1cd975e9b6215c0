import { expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { serviceSpec, withGpus, workerGroup } from "../../../test/support/specs.ts";
import { Draft } from "../draft.ts";
import { hardestFirst } from "./hardest-first.ts";

test("what wants the most comes first, then the name decides", () => {
  const world = new World();
  const fixed = ["python -m sglang.launch_server --port 8000"];
  const { resources } = workerGroup(1);
  const groups = [
    workerGroup(1, { name: "a-little" }),
    workerGroup(1, { name: "b-fixed", commands: fixed }),
    workerGroup(1, { name: "c-memory", resources: { ...resources, memory: { min: 64, max: null } } }),
    workerGroup(2, { name: "d-small", ...withGpus(1) }),
    workerGroup(1, { name: "e-large", ...withGpus(8) }),
    workerGroup(1, { name: "f-little" }),
  ];
  world.apply(serviceSpec("w", groups));
  const order = hardestFirst(new Draft(world.state), world.replicas("w").toReversed());
  expect(order.map((group) => group.map((replica) => replica.group).join(" "))).toEqual([
    "e-large",
    "d-small d-small",
    "b-fixed",
    "c-memory",
    "a-little",
    "f-little",
  ]);
});
