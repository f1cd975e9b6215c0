import type { FaultKind, Faults, StoreTrouble } from "./faults.ts";
import type { Machine } from "./machine.ts";
import type { Quality } from "./network.ts";
import type { Process } from "./process.ts";

/** How long things that last do so, on average. */
const LASTS_MS = {
  network: 30_000,
  cut: 45_000,
  way: 60_000,
  frozen: 20_000,
  off: 70_000,
  clone: 40_000,
  process: 40_000,
  agent: 20_000,
  part: 60_000,
  outage: 60_000,
  servers: 30_000,
  store: 15_000,
  slow: 60_000,
};

/** What a slow server takes for each report; with a few hosts the longest is more than they can wait for. */
const READING_MS = [200, 2_000, 5_000];

/** Of the slow servers those that lose all links at once: then all hosts come back to one that is slow. */
const STORM_SHARE = 0.5;

/** How each fault begins; those that last end by themselves, or when all faults do. */
export const STRIKES: Record<FaultKind, (faults: Faults) => void> = {
  "message lost": (faults) => spoilNetwork(faults, { lost: faults.random.pick([0.05, 0.3, 0.7]) }),
  "message doubled": (faults) => spoilNetwork(faults, { doubled: faults.random.pick([0.05, 0.3, 0.7]) }),
  "message late": (faults) => spoilNetwork(faults, { slowMs: faults.random.pick([200, 3_000, 10_000]) }),
  "host cut from the control plane": (faults) => cut(faults, "host cut from the control plane", "control"),
  "host cut from its peers": (faults) => cut(faults, "host cut from its peers", "peers"),
  "host does not reach another": (faults) => cutWays(faults, "host does not reach another"),
  "hosts do not reach each other": (faults) => cutWays(faults, "hosts do not reach each other"),
  "host frozen": (faults) => {
    const machine = someMachine(faults);
    if (!machine.isRunning) return;
    faults.tell("host frozen", machine.name);
    machine.freeze();
    faults.world.network.watch(machine);
    faults.lasts(LASTS_MS.frozen, () => machine.thaw());
  },
  "host without power": (faults) => {
    const { world } = faults;
    const machine = someMachine(faults);
    if (!machine.isOn || isClone(machine)) return;
    faults.tell("host without power", machine.name);
    machine.powerOff();
    world.network.watch(machine);
    faults.lasts(LASTS_MS.off, () => {
      machine.powerOn();
      world.startAgent(machine);
    });
  },
  "host cloned": clone,
  "agent crashed": (faults) => {
    const machine = someMachine(faults);
    if (!machine.agent || !machine.isRunning) return;
    faults.tell("agent crashed", machine.name);
    machine.agent.vanish();
    machine.agent = null;
    faults.restartAgent(machine);
  },
  "agent crashed within a step": (faults) => {
    const machine = someMachine(faults);
    faults.crashing.add(machine);
    faults.lasts(LASTS_MS.agent, () => faults.crashing.delete(machine));
  },
  "engine crashed": (faults) => strikeProcess(faults, "engine crashed", (process) => process.crash()),
  "router crashed": (faults) => strikeProcess(faults, "router crashed", (process) => process.crash()),
  "engine crashes again and again": (faults) =>
    strikeProcess(faults, "engine crashes again and again", ({ machine, job }) => {
      crashAgain(faults, machine, job, faults.random.int(2, 5));
    }),
  "engine hung": (faults) =>
    strikeProcess(faults, "engine hung", (process) => {
      process.hangs = true;
      faults.lasts(LASTS_MS.process, () => process.wakeUp());
    }),
  "engine sick": (faults) =>
    strikeProcess(faults, "engine sick", (process) => {
      process.isSick = true;
      faults.lasts(LASTS_MS.process, () => {
        process.isSick = false;
      });
    }),
  "engine stubborn": (faults) =>
    strikeProcess(faults, "engine stubborn", (process) => {
      process.isStubborn = true;
    }),
  "start failed": (faults) => {
    const machine = someMachine(faults);
    faults.failing.add(machine);
    faults.lasts(LASTS_MS.agent, () => faults.failing.delete(machine));
  },
  "accelerator hot": (faults) => {
    const machine = someMachine(faults);
    const bus = faults.random.pick(machine.parts.buses);
    faults.tell("accelerator hot", `${machine.name} ${bus}`);
    machine.parts.hot.add(bus);
    faults.lasts(LASTS_MS.part, () => machine.parts.hot.delete(bus));
  },
  "accelerator gone": (faults) => {
    const machine = someMachine(faults);
    const bus = faults.random.pick(machine.parts.buses);
    faults.tell("accelerator gone", `${machine.name} ${bus}`);
    machine.parts.gone.add(bus);
    faults.lasts(LASTS_MS.part, () => machine.parts.gone.delete(bus));
  },
  "Docker engine away": (faults) => {
    const machine = someMachine(faults);
    if (!machine.spec.containers) return;
    faults.tell("Docker engine away", machine.name);
    machine.engineIsAway = true;
    machine.agent?.syncSoon();
    faults.lasts(LASTS_MS.part, () => {
      machine.engineIsAway = false;
      machine.agent?.syncSoon();
    });
  },
  "server crashed": (faults) => {
    const { servers } = faults.world;
    if (servers.length === 0) return;
    faults.happened("server crashed");
    faults.random.pick(servers).crash();
  },
  "no server for a while": (faults) => {
    const { world } = faults;
    if (world.servers.length === 0) return;
    faults.tell("no server for a while", "servers");
    world.beginOutage();
    faults.lasts(LASTS_MS.outage, () => world.endOutage());
  },
  "two servers at once": (faults) => {
    const { world } = faults;
    if (world.servers.length !== 1) return;
    faults.tell("two servers at once", "servers");
    const server = world.startServer();
    faults.lasts(LASTS_MS.servers, () => server.crash());
  },
  "all links cut": cutAllLinks,
  "server slow": (faults) => {
    faults.tell("server slow", "servers");
    faults.slowServers(faults.random.pick(READING_MS));
    if (faults.random.chance(STORM_SHARE)) cutAllLinks(faults);
    faults.lasts(LASTS_MS.slow, () => faults.slowServers(0));
  },
  "store slow": (faults) => {
    faults.tell("store slow", "store");
    faults.slowStoreMs = faults.random.pick([50, 500, 3_000]);
    faults.lasts(LASTS_MS.store, () => {
      faults.slowStoreMs = 0;
    });
  },
  "store: busy": (faults) => spoilStore(faults, "busy"),
  "store: request lost": (faults) => spoilStore(faults, "request lost"),
  "store: answer lost": (faults) => spoilStore(faults, "answer lost"),
  "store: crash before": (faults) => spoilStore(faults, "crash before"),
  "store: crash after": (faults) => spoilStore(faults, "crash after"),
};

function spoilNetwork(faults: Faults, quality: Partial<Quality>): void {
  const { network } = faults.world;
  const machine = someMachine(faults);
  network.setQuality(machine, { lost: 0, doubled: 0, slowMs: 0, ...quality });
  faults.lasts(LASTS_MS.network, () => network.setQuality(machine, null));
}

function cut(faults: Faults, kind: FaultKind, from: "control" | "peers"): void {
  const { network } = faults.world;
  const machine = someMachine(faults);
  faults.tell(kind, machine.name);
  network.cut(machine, from);
  faults.lasts(LASTS_MS.cut, () => network.heal(machine));
}

/** On the way between two hosts of a project a firewall lets nothing through, in one direction or in both. */
function cutWays(faults: Faults, kind: FaultKind): void {
  const { network, machines } = faults.world;
  const from = someMachine(faults);
  const others = machines.filter(({ spec }) => spec.project === from.spec.project && spec.host !== from.spec.host);
  if (others.length === 0) return;
  const to = faults.random.pick(others);
  faults.tell(kind, `${from.name}, ${to.name}`);
  const mend = [
    network.cutWay(from, to),
    ...(kind === "hosts do not reach each other" ? [network.cutWay(to, from)] : []),
  ];
  faults.lasts(LASTS_MS.way, () => {
    for (const one of mend) one();
  });
}

/** As a load balancer does that is started anew. */
function cutAllLinks(faults: Faults): void {
  faults.tell("all links cut", "servers");
  for (const server of faults.world.servers) server.cutLinks();
}

function spoilStore(faults: Faults, trouble: StoreTrouble): void {
  faults.storeTroubles.add(trouble);
  faults.lasts(LASTS_MS.store, () => faults.storeTroubles.delete(trouble));
}

/** A copy of the machine, with its credential and without its processes, comes up beside it. */
function clone(faults: Faults): void {
  const { world } = faults;
  const machine = someMachine(faults);
  if (isClone(machine)) return;
  faults.tell("host cloned", machine.name);
  const serial = world.nextSerial();
  const copy = world.addMachine({
    ...machine.spec,
    machineId: `${machine.spec.host}-clone-${serial}`,
    address: `10.9.${serial >> 8}.${serial & 255}`,
  });
  faults.lasts(LASTS_MS.clone, () => {
    // For good: another fault's end may have been about to switch it on again.
    copy.retire();
    world.network.watch(copy);
    world.removeMachine(copy);
  });
}

function crashAgain(faults: Faults, machine: Machine, job: string, times: number): void {
  machine.processes.get(job)?.crash();
  if (times === 0) return;
  machine.after(faults.random.span(6_000), () => {
    if (!faults.isOver) crashAgain(faults, machine, job, times - 1);
  });
}

function strikeProcess(faults: Faults, kind: FaultKind, strike: (process: Process) => void): void {
  const isRouter = kind === "router crashed";
  const living = faults.world.machines
    .filter((machine) => machine.isRunning)
    .flatMap((machine) => [...machine.processes.values()])
    .filter((process) => process.end === null && (process.role === "router") === isRouter);
  if (living.length === 0) return;
  const process = faults.random.pick(living);
  faults.tell(kind, `${process.machine.name} ${process.job}`);
  strike(process);
}

function someMachine(faults: Faults): Machine {
  return faults.random.pick(faults.world.machines);
}

function isClone(machine: Machine): boolean {
  return machine.name !== machine.spec.host;
}
