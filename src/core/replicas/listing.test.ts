import { expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, workerGroup } from "../../../test/support/specs.ts";

/** What the router of a service on one host is told to list. */
function listed(address: string, ...groups: Parameters<typeof serviceSpec>[1]) {
  const world = new World();
  world.addHost("a", { address });
  world.apply(serviceSpec("s", [routerGroup(), ...groups]));
  world.settle();
  return world.desired("s").find((job) => job.role === "router")?.workers;
}

test("a worker is listed by the address of its host and its own port", () => {
  expect(listed("10.0.0.7", workerGroup(1))).toEqual([
    { replica: "s-worker-2", url: "http://10.0.0.7:20000", role: "worker", bootstrapPort: null, labels: {} },
  ]);
});

test("an address of IPv6 stands in brackets", () => {
  expect(listed("fd00::7", workerGroup(1))?.[0]?.url).toBe("http://[fd00::7]:20000");
});

test("a prefill is listed with its bootstrap port, and both ends of a hand-off with their set", () => {
  const workers = listed("10.0.0.7", prefillGroup(1), decodeGroup(1));
  expect(workers?.map(({ role, bootstrapPort, labels }) => [role, bootstrapPort, labels])).toEqual([
    ["decode", null, { pairing_protocol: "p1" }],
    ["prefill", 8998, { pairing_protocol: "p1" }],
  ]);
});
