import type { Entity } from "../../../src/core/state.ts";
import { FIRST_PROJECT } from "../../../src/node/first-start.ts";
import type { CommitBatch } from "../../../src/store/types.ts";
import { commitOf } from "../../contract/store-samples.ts";
import { World } from "../core-world.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, withGpus } from "../specs.ts";

const REPLICAS_PER_SERVICE = 100;
const ACCELERATORS = 10;

/**
 * The commit that makes the first project what it is when services of a router, 33 prefills and 66 decodes each run on hosts with ten
 * accelerators, and all of it is ready.
 * @param replicas a multiple of 100
 */
export function filledProject({ replicas, hosts }: { replicas: number; hosts: number }): CommitBatch {
  const world = new World();
  world.now = Date.now();
  const accelerators = Array.from({ length: ACCELERATORS }, (_, index) => ({
    index,
    vendor: "nvidia" as const,
    name: "H200",
    memoryGib: 141,
  }));
  for (let host = 0; host < hosts; host += 1) world.addHost(`host-${host}`, { accelerators });
  for (let i = 0; i < replicas / REPLICAS_PER_SERVICE; i += 1) {
    world.apply(
      serviceSpec(`service-${i}`, [routerGroup(), prefillGroup(33, withGpus(1)), decodeGroup(66, withGpus(1))]),
    );
  }
  world.settle();
  const ready = [...world.state.tables.replica.byId.values()].filter(({ status }) => status === "ready").length;
  if (ready !== replicas) throw new Error(`${ready} of ${replicas} replicas are ready`);
  const puts = Object.values(world.state.tables).flatMap(({ byId }) => [...byId.values()] as Entity[]);
  return commitOf(FIRST_PROJECT, 2, crypto.randomUUID(), { at: world.now, puts });
}
