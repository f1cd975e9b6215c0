import { type ProjectState, takeChanges, takeDue } from "../src/core/project-state.ts";
import { step } from "../src/core/step.ts";
import { World } from "../test/support/core-world.ts";
import { applyOf } from "../test/support/inputs.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, withGpus } from "../test/support/specs.ts";
import { type BenchResult, type Cell, type Spread, spreadOf } from "./support/report.ts";

const SIZES = [100, 1_000, 10_000];
const REPLICAS_PER_SERVICE = 100;
const JOBS_PER_HOST = 10;
/** Repetitions of each measurement. */
const ROUNDS = 9;

/** How long one step takes: every replica placed at once, every service looked at again, one report, an idle tick. */
export default async function bench(): Promise<BenchResult> {
  return {
    about: `One step of the state machine; median of ${ROUNDS} (fastest - slowest).`,
    tables: [
      {
        title: "Steps by size of the project",
        columns: [
          { key: "replicas", title: "replicas" },
          { key: "hosts", title: "hosts" },
          { key: "placeAll", title: "place all", unit: "ms" },
          { key: "lookAtAll", title: "look at all", unit: "ms" },
          { key: "report", title: "one report", unit: "ms" },
          { key: "idleTick", title: "idle tick", unit: "ms" },
        ],
        rows: SIZES.map(measure),
      },
    ],
  };
}

function measure(replicas: number): Record<string, Cell> {
  const hosts = replicas / JOBS_PER_HOST;
  const services = replicas / REPLICAS_PER_SERVICE;
  const applied = (): World => {
    const world = new World();
    const accelerators = Array.from({ length: JOBS_PER_HOST }, (_, index) => ({
      index,
      vendor: "nvidia" as const,
      name: "H200",
      memoryGib: 141,
    }));
    for (let host = 0; host < hosts; host += 1) world.addHost(`host-${host}`, { accelerators });
    return world;
  };
  const inputs = Array.from({ length: services }, (_, i) => {
    const groups = [routerGroup(), prefillGroup(33, withGpus(1)), decodeGroup(66, withGpus(1))];
    const spec = serviceSpec(`service-${i}`, groups);
    return applyOf(spec);
  });

  const world = applied();
  const placeAll = timed(() => step(world.state, inputs, world.now));
  const placed = step(world.state, inputs, world.now);
  takeChanges(world.state, world.state.version + 1, placed.changes, placed.due, world.now);
  world.settle();
  const running = [...world.state.tables.replica.byId.values()].filter((replica) => replica.status === "ready").length;
  if (running !== replicas)
    throw new Error(`${running} of ${replicas} replicas run; the bench measures something else`);

  const { state } = world;
  const host = "host-0";
  return {
    replicas,
    hosts,
    placeAll,
    lookAtAll: timed(() => step(allDue(state), [{ kind: "time" }], world.now)),
    report: timed(() => step(state, [{ kind: "host_reported", host }], world.now)),
    idleTick: timed(() => {
      const result = step(state, [{ kind: "time" }], world.now);
      takeDue(state, result.due);
    }),
  };
}

/** The same state with every service due. */
function allDue(state: ProjectState): ProjectState {
  return { ...state, due: new Map([...state.tables.service.byId.keys()].map((service) => [service, 0])) };
}

function timed(run: () => unknown): Spread {
  run();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  return spreadOf(times);
}
