import fc from "fast-check";
import { describe, test } from "vitest";
import { World } from "../../test/support/core-world.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, withGpus } from "../../test/support/specs.ts";
import { renderHost } from "./render/render.ts";

/** Random lives of a project. After every action the rules hold; the failing rule is the message. */
const HOSTS = ["a", "b", "c"];
const SERVICES = ["one", "two"];

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("apply" as const),
      service: fc.constantFrom(...SERVICES),
      prefills: fc.integer({ min: 0, max: 3 }),
      decodes: fc.integer({ min: 0, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stop" as const), service: fc.constantFrom(...SERVICES) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), service: fc.constantFrom(...SERVICES) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("sync" as const), host: fc.constantFrom(...HOSTS) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.constantFrom(100, 2_000, 10_000, 31_000, 61_000, 400_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("trouble" as const),
      nth: fc.nat(20),
      state: fc.constantFrom("unready" as const, "backoff" as const, "starting" as const, "ready" as const),
      ends: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("cordon" as const),
      host: fc.constantFrom(...HOSTS),
      how: fc.constantFrom("cordon" as const, "drain" as const, "uncordon" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move" as const), host: fc.constantFrom(...HOSTS) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("freeze" as const), host: fc.constantFrom(...HOSTS), frozen: fc.boolean() }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

const spec = (name: string, prefills: number, decodes: number) =>
  serviceSpec(name, [routerGroup(), prefillGroup(prefills, withGpus(1)), decodeGroup(decodes, withGpus(1))]);

function act(world: World, { ...action }: Action): void {
  switch (action.do) {
    case "apply":
      world.apply(spec(action.service, action.prefills, action.decodes));
      return;
    case "stop":
    case "delete":
      world.input({ kind: action.do, service: action.service });
      return;
    case "sync":
      world.sync(action.host);
      return;
    case "advance":
      world.advance(action.ms);
      return;
    case "trouble": {
      const ids = [...world.state.tables.replica.byId.keys()].sort();
      const id = ids[action.nth % Math.max(1, ids.length)];
      if (id) world.behaviour.set(id, { state: action.state, recentEnds: action.ends });
      return;
    }
    case "cordon": {
      const { host, how } = action;
      if (how === "uncordon") world.input({ kind: "host_uncordoned", host });
      else world.input({ kind: "host_cordoned", host, drain: how === "drain", reason: "", actor: "ada" });
      return;
    }
    case "move":
      world.move(action.host);
      return;
    case "freeze":
      world.freeze(action.host, action.frozen);
  }
}

function rulesHold(world: World): string | null {
  const { tables } = world.state;
  const everReady = new Set(world.events.map((event) => (event.type === "replica.ready" ? event.replica : undefined)));
  for (const host of tables.host.byId.values()) {
    const jobs = [...tables.job.ids("host", host.id)].map((id) => tables.job.byId.get(id)!);
    const accelerators = jobs.flatMap((job) => job.accelerators);
    if (new Set(accelerators).size !== accelerators.length) return "rule 4: an accelerator is promised twice";
    const ports = jobs.flatMap((job) => job.ports.map((port) => port.port));
    if (new Set(ports).size !== ports.length) return "rule 4: a port is promised twice";
  }
  for (const service of SERVICES) {
    const listed = new Set(world.desired(service).flatMap((job) => job.workers.map((worker) => worker.replica)));
    for (const id of listed) {
      const replica = tables.replica.byId.get(id);
      if (!replica || !everReady.has(id)) return "rule 1: a replica is listed that was never ready";
      if (["unlisting", "quiescing", "stopping"].includes(replica.status))
        return "rule 2: a draining replica is listed";
    }
    for (const job of world.desired(service)) {
      const replica = tables.replica.byId.get(job.replica)!;
      const isDraining = ["quiescing", "stopping"].includes(replica.status);
      if (job.phase.kind !== "run" && !isDraining) return "rule 2: a job is stopped whose replica does not drain";
    }
  }
  for (const job of tables.job.byId.values()) {
    if (!tables.replica.byId.has(job.replica)) return "a job outlives its replica";
  }
  for (const replica of tables.replica.byId.values()) {
    const jobs = tables.job.ids("replica", replica.id).size;
    if (replica.status === "pending" ? jobs !== 0 : jobs !== 1)
      return "a placed replica has one job, a pending one none";
    if (!tables.service.byId.has(replica.service)) return "a replica outlives its service";
  }
  for (const [service, at] of world.state.due)
    if (at <= world.now) return `service ${service} is due again without any time passing`;
  return null;
}

function renderings(world: World): Map<string, string> {
  const { state } = world;
  return new Map(
    [...state.tables.host.byId.values()].map((host) => [host.id, JSON.stringify(renderHost(state, host))]),
  );
}

/** What is rendered for a host is kept until it is woken, so one that is not would go on with what it has. */
function everyoneConcernedIsWoken(world: World, before: Map<string, string>): string | null {
  for (const [host, rendering] of renderings(world)) {
    if (rendering !== before.get(host) && !world.woken.has(host)) return `host ${host} is not told what it shall run`;
  }
  return null;
}

/** Nothing new on a cordoned host, and none that is ready goes from a drained one while it is needed. */
function cordonsHold(world: World, before: Before): string | null {
  const { tables } = world.state;
  for (const job of tables.job.byId.values()) {
    const { operator } = tables.host.byId.get(job.host)!.cordons;
    if (operator && !before.jobs.has(job.id)) return "a cordoned host gets a new job";
  }
  for (const { id, service, group, status, reason } of tables.replica.byId.values()) {
    if (status !== "unlisting" || !reason.endsWith("is drained") || before.statuses.get(id) !== "ready") continue;
    const ready = world.replicas(service, group).filter((replica) => replica.status === "ready").length;
    if (ready < (tables.service.byId.get(service)?.wanted[group] ?? 0))
      return "rule 3: a drain takes one that is needed";
  }
  return null;
}

/** What there was before an action. */
interface Before {
  renderings: Map<string, string>;
  jobs: Set<string>;
  statuses: Map<string, string>;
}

function before(world: World): Before {
  const { job, replica } = world.state.tables;
  const statuses = new Map([...replica.byId].map(([id, { status }]) => [id, status]));
  return { renderings: renderings(world), jobs: new Set(job.byId.keys()), statuses };
}

/** When trouble ends, the project settles to what was asked. */
function settles(world: World): string | null {
  world.behaviour.clear();
  for (const host of HOSTS) world.freeze(host, false);
  for (const host of HOSTS) world.input({ kind: "host_uncordoned", host });
  for (let round = 0; round < 40; round += 1) {
    world.settle();
    world.advance(30_000);
  }
  for (const service of world.state.tables.service.byId.values()) {
    const replicas = world.replicas(service.id);
    if (service.status === "stopping") return `service ${service.id} never stops`;
    if (service.status === "stopped" && replicas.length > 0) return `stopped service ${service.id} has replicas`;
    if (service.status !== "running") continue;
    for (const [group, wanted] of Object.entries(service.wanted)) {
      const ready = replicas.filter((replica) => replica.group === group && replica.status === "ready").length;
      const waiting = replicas.filter((replica) => replica.group === group && replica.status === "pending").length;
      const other = replicas.filter((replica) => replica.group === group).length - ready - waiting;
      if (other > 0 || ready + waiting !== wanted)
        return `group ${group} of ${service.id} has ${ready} ready and ${waiting} waiting of ${wanted}`;
    }
  }
  return null;
}

describe("the rules", () => {
  test("hold after every action, and the project settles when trouble ends", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const world = new World();
        for (const [i, host] of HOSTS.entries()) {
          const accelerators = Array.from({ length: 2 + i }, (_, index) => ({
            index,
            vendor: "nvidia" as const,
            name: "H200",
            memoryGib: 141,
          }));
          world.addHost(host, { accelerators });
        }
        for (const each of actions) {
          const was = before(world);
          world.woken.clear();
          act(world, each);
          const broken = rulesHold(world) ?? cordonsHold(world, was) ?? everyoneConcernedIsWoken(world, was.renderings);
          if (broken) throw new Error(`${broken} (after ${JSON.stringify(each)})`);
        }
        const stuck = settles(world);
        if (stuck) throw new Error(stuck);
      }),
      { numRuns: 300 },
    );
  });
});
