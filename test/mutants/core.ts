import type { Mutant } from "./types.ts";

const step = (test: string) => ({ file: "src/core/step.test.ts", test });
const heldPorts = (test: string) => ({ file: "src/core/placement/held-ports.test.ts", test });
const hostDrain = (test: string) => ({ file: "src/core/hosts/host-drain.test.ts", test });
const health = (test: string) => ({ file: "src/core/hosts/health.test.ts", test: `a host that is not well > ${test}` });
const runtime = (test: string) => ({ file: "src/core/placement/runtime.test.ts", test });
const placement = (test: string) => ({ file: "src/core/placement/placement.test.ts", test: `placement > ${test}` });
const mates = (test: string) => ({ file: "src/core/placement/mates.test.ts", test });
const updates = (test: string) => ({ file: "src/core/hosts/agent-updates.test.ts", test });
const homes = (test: string) => ({
  file: "src/core/placement/homes.test.ts",
  test: `of a service whose replicas exchange their cache, prefill and decode > ${test}`,
});
const silence = (test: string) => ({ file: "src/core/hosts/silence.test.ts", test });
const rule = (text: string) => ({
  file: "src/core/rules.property.test.ts",
  test: "the rules > hold after every action, and the project settles when trouble ends",
  rule: text,
});

export const coreMutants: Mutant[] = [
  {
    file: "src/core/placement/fit.ts",
    replace: "matching.includes(accelerator) && !use.accelerators.has(accelerator.index)",
    by: "matching.includes(accelerator)",
    breaks: "A job is promised an accelerator that another job has.",
    caughtBy: { ...rule("rule 4: an accelerator is promised twice"), simulation: "4: promised once" },
  },
  {
    file: "src/core/placement/fit.ts",
    replace: "!use.ports.has(port) && ",
    by: "",
    breaks: "A job is promised a port that another job has.",
    caughtBy: rule("rule 4: a port is promised twice"),
  },
  {
    file: "src/core/placement/placement.ts",
    replace: "    take(this.useOf(host), job, group);\n",
    by: "",
    breaks: "Two jobs placed by one step do not know of each other.",
    caughtBy: placement("promises no accelerator and no port twice"),
  },
  {
    file: "src/core/placement/fit.ts",
    replace: "if (memoryFree < memory.min)",
    by: "if (memory.max !== null && memoryFree > memory.max)",
    breaks: "A host below the lower bound of memory is taken, and one above the upper bound is not.",
    caughtBy: placement("refuses a host that lacks memory"),
  },
  {
    file: "src/core/placement/placement.ts",
    replace: "this.draft.state.present.has(host.id) && observed !== undefined",
    by: "this.draft.state.present.has(host.id)",
    breaks: "A host gets a job before it has said which of its ports are taken.",
    caughtBy: placement("puts nothing on a host before its first report, since its ports are not known"),
  },
  {
    file: "src/core/placement/mates.ts",
    replace: "mate.pairing === revision.pairing && isSentTo(mate) ? between(own, mate) : null",
    by: "null",
    breaks: "A prefill is placed where no decode is known to reach it.",
    caughtBy: mates(
      "a service of one prefill and one decode > minds the port where a decode meets a prefill, although the others are open",
    ),
  },
  {
    file: "src/core/placement/placement.ts",
    replace: "    if (apart !== null) return { ok: false, reason: apart };\n",
    by: "",
    breaks: "A decode is placed where it shares no interconnect with its prefills.",
    caughtBy: {
      ...homes("stay in one such fleet, and a plan says which when it has no more room"),
      simulation: "prefill and decode are at home together",
    },
  },
  {
    file: "src/core/placement/homes.ts",
    replace: "if (!job || !isActive(replica) ||",
    by: 'if (!job || !isActive(replica) || this.draft.must("host", job.host).cordons.operator !== null ||',
    breaks: "A drain takes prefills into another cluster than their decodes are in.",
    caughtBy: {
      ...homes("leave one within their fleet only when all of them are on it, too"),
      simulation: "prefill and decode are at home together",
    },
  },
  {
    file: "src/core/placement/arrange.ts",
    replace: "if (best === null || isBetter(now, best, bare)) best = now;",
    by: "best ??= now;",
    breaks: "A service that does not fit in the first order that is tried has no place in any other.",
    caughtBy: placement("of a service with fixed ports > begins anew with what found no place, should that help"),
  },
  {
    file: "src/core/placement/hardest-first.ts",
    replace: "compare(b.demands, a.demands) || ",
    by: "",
    breaks: "What could go anywhere takes the port of the only host that would do for another.",
    caughtBy: {
      file: "src/core/placement/hardest-first.test.ts",
      test: "what wants the most comes first, then the name decides",
    },
  },
  {
    file: "src/core/placement/fit.ts",
    replace: "  if (cordoned !== null) return no(cordoned);\n",
    by: "",
    breaks: "A cordoned host is given new jobs.",
    caughtBy: {
      ...hostDrain("a cordoned host > gets nothing new, keeps what it has, and says why"),
      simulation: "a host that is taken out gets nothing new",
    },
  },
  {
    file: "src/core/replicas/counts.ts",
    replace: "    if (without < wanted - unavailable) continue;\n",
    by: "",
    breaks: "What runs on a drained host goes before anything is ready in its place.",
    caughtBy: {
      ...hostDrain("a drained host > is left by each replica only once another is ready in its place"),
      simulation: "3: a drain takes nothing that is needed",
    },
  },
  {
    file: "src/core/replicas/counts.ts",
    replace: "(leaving > 0 ? surge : 0)",
    by: "leaving",
    breaks: "A drain starts everything anew at once, whatever max_surge says.",
    caughtBy: hostDrain("a drained host > moves away as many at a time as max_surge allows"),
  },
  {
    file: "src/core/replicas/drain.ts",
    replace: "} else if (isUnlisted(draft, replica, now)) {",
    by: "} else {",
    breaks: "A worker quiesces while its router still sends to it.",
    caughtBy: step("draining > a worker is told to quiesce only after its router has let go of it"),
  },
  {
    file: "src/core/replicas/drain.ts",
    replace: "draft.state.unroutedAt.get(replica.id) ?? replica.since",
    by: "replica.since",
    breaks: "A worker quiesces while the proxy still sends to it, since its commit was long on its way.",
    caughtBy: step(
      "draining > a commit that is long on its way takes nothing off the time that routes may be used for",
    ),
  },
  {
    file: "src/core/replicas/let-go.ts",
    replace: "report.synced >= unlistedIn && ",
    by: "",
    breaks: "What a router listed before the drain began is taken for its having let go.",
    caughtBy: step("draining > a router's word of before the drain does not count"),
  },
  {
    file: "src/core/placement/held-ports.ts",
    replace: "if (router && !hasForgotten(draft, router, hold.worker, hold.since)) continue;",
    by: 'if (router?.status === "stopping") continue;',
    breaks: "A port goes to another service while a router that is cut off still sends to it.",
    caughtBy: heldPorts("the ports of a worker that is gone while its router is cut off > go to nobody else"),
  },
  {
    file: "src/core/placement/placement.ts",
    replace: ', ...this.draft.by("hold", "address", inventory.address)',
    by: "",
    breaks: "A machine that is removed and joins again gets a port to which a router that is cut off still sends.",
    caughtBy: heldPorts(
      "the ports of a worker that is gone while its router is cut off > go to nobody else when its machine is removed and joins again",
    ),
  },
  {
    file: "src/core/replicas/drain.ts",
    replace: "} else if (now >= deadline) {",
    by: "} else if (now >= Number.POSITIVE_INFINITY) {",
    breaks: "A router that never lets go holds a worker for ever.",
    caughtBy: step("draining > a router that never lets go holds a worker until its deadline and no longer"),
  },
  {
    file: "src/core/step.ts",
    replace: '    for (const job of draft.by("job", "replica", router.id)) hosts.add(job.host);\n',
    by: "",
    breaks: "A router's host is not told that its list has changed.",
    caughtBy: step("step > wakes nobody for a worker that became ready but those whose routers list it"),
  },
  {
    file: "src/core/replicas/counts.ts",
    replace: "    if (routersServe && replica.wasReady && !isRouter(replica)) continue;\n",
    by: "",
    breaks: "The workers of a stopped service end while its router still has streams on them.",
    caughtBy: step("draining > stop: out of the routes, then the router, then the workers"),
  },
  {
    file: "src/core/replicas/listing.ts",
    replace: 'replica.status === "ready" ||',
    by: 'replica.status === "ready" || replica.status === "starting" ||',
    breaks: "A worker is listed before its probes pass.",
    caughtBy: { ...rule("rule 1: a replica is listed that was never ready"), simulation: "1: listed only when ready" },
  },
  {
    file: "src/core/replicas/listing.ts",
    replace: "(listed.length > 0 || !spare ? listed : [spare.worker])",
    by: "listed",
    breaks: "The last worker of a role is taken out although there is nothing better.",
    caughtBy: step("readiness > the last listed worker of a role stays though its probes fail"),
  },
  {
    file: "src/core/replicas/observed.ts",
    replace: " || observed.report.applied.version < job.created",
    by: "",
    breaks: "A report from before a job was made ends the job, and its promises are given away.",
    caughtBy: { ...step("a report > from before a job was made does not end the job"), simulation: "4: promised once" },
  },
  {
    file: "src/core/reconcile.ts",
    replace: "report.recentEnds >= ENDS_TO_REPLACE",
    by: "report.recentEnds > ENDS_TO_REPLACE",
    breaks: "A replica that keeps ending is replaced one end too late.",
    caughtBy: step("readiness > what ends three times within five minutes is replaced after a wait that grows"),
  },
  {
    file: "src/core/reconcile.ts",
    replace: "REPLACE_BACKOFF_BASE_MS * 2 ** (failures - 1)",
    by: "REPLACE_BACKOFF_BASE_MS",
    breaks: "A group whose replicas always fail is replaced as fast as it fails.",
    caughtBy: step("readiness > what ends three times within five minutes is replaced after a wait that grows"),
  },
  {
    file: "src/core/reconcile.ts",
    replace: "    if (unready !== null) moments.push(unready);\n",
    by: "",
    breaks: "Nobody is woken when an unready replica has had its time.",
    caughtBy: step("readiness > what is unready for too long is replaced"),
  },
  {
    file: "src/core/replicas/unready.ts",
    replace: "    if (ready.length === 0) return null;\n",
    by: "    if (ready.length === 0) continue;\n",
    breaks:
      "A router is replaced a minute after the last worker of a role died, though its engine only loads its model again.",
    caughtBy: step(
      "the routes of a service whose only router is not ready any more > go on naming it while a role has no ready worker: another router would not be ready either",
    ),
  },
  {
    file: "src/core/services/routes.ts",
    replace: "if (ready.length > 0 || !router) return ready;",
    by: "return ready;",
    breaks: "A router that serves again is refused until its readiness is committed.",
    caughtBy: step(
      "the routes of a service whose only router is not ready any more > name it all the same: it may serve again before anybody hears of it",
    ),
  },
  {
    file: "src/core/replicas/lifecycle.ts",
    replace: 'return !isDraining(replica) && replica.status !== "lost";',
    by: "return !isDraining(replica);",
    breaks: "A replica on a lost host counts as running, so nothing takes its place.",
    caughtBy: step(
      "a silent host > keeps its replicas until they are lost; then they are replaced, and its promises stand",
    ),
  },
  {
    file: "src/core/hosts/silence.ts",
    replace: "host.silentSince + LOST_AFTER_MS",
    by: "host.silentSince",
    breaks: "A host that is silent for a moment is lost at once.",
    caughtBy: step(
      "a silent host > keeps its replicas until they are lost; then they are replaced, and its promises stand",
    ),
  },
  {
    file: "src/core/hosts/silence.ts",
    replace: "host.silentSince === null || isFrozen(draft, host.fleet)",
    by: "host.silentSince === null",
    breaks: "When we cannot hear a fleet, all of it is given up and started again elsewhere.",
    caughtBy: silence(
      "hosts of a fleet that fall silent > most of them together: nothing is decided about them, it is said once, and time does not change it",
    ),
  },
  {
    file: "src/core/hosts/silence.ts",
    replace: "heardFrom + RETURN_AFTER_START_MS",
    by: "0",
    breaks: "A control plane that was down gives up the hosts that have not come back to it yet.",
    caughtBy: silence(
      "the clock of a silent host > leaves every agent the time to come back to a controller that has just begun to listen",
    ),
  },
  {
    file: "src/core/hosts/returns.ts",
    replace: "Math.max(state.listeningSince, thawedAt ?? 0, state.returnedAt.get(fleet) ?? 0)",
    by: "state.listeningSince",
    breaks: "Of a fleet that is heard of again, the hosts that come back last are given up.",
    caughtBy: silence(
      "hosts of a fleet that fall silent > those still silent when most are back have as long to come back as after a start",
    ),
  },
  {
    file: "src/core/replicas/counts.ts",
    replace: ".filter(isActive).sort(leastImportantFirst)",
    by: ".filter(isActive).sort((a, b) => leastImportantFirst(b, a))",
    breaks: "Of too many replicas the one that serves is let go, and the one that is starting stays.",
    caughtBy: {
      ...step(
        "a silent host > that returns with a healthy replica keeps it, and the replacement that is not ready yet goes",
      ),
      simulation: "what serves stays",
    },
  },
  {
    file: "src/core/step.ts",
    replace: "  if (context.roomFreed) {",
    by: "  if (context.roomFreed && context.touched.size > 1_000) {",
    breaks: "A replica that waits for room is not looked at when a host joins.",
    caughtBy: step("apply > waits with the reason when nothing fits, and goes on when room appears"),
  },
  {
    file: "src/core/services/change.ts",
    replace: "expectedRevision !== null && expectedRevision !== revision",
    by: "expectedRevision !== null && expectedRevision > revision",
    breaks: "An apply overwrites what somebody else applied after it was planned.",
    caughtBy: step("apply > on a plan of another revision is refused"),
  },
  {
    file: "src/core/hosts/health.ts",
    replace: "return { ...host.cordons, health: { since: health?.since ?? now, reason } };",
    by: "return host.cordons;",
    breaks: "A host with a broken accelerator is given new jobs.",
    caughtBy: {
      ...health("gets nothing new until it is well; what it runs goes on"),
      simulation: "a host that is taken out gets nothing new",
    },
  },
  {
    file: "src/core/hosts/health.ts",
    replace: "return { ...host.cordons, health: null };",
    by: "return host.cordons;",
    breaks: "A host that is well again gets nothing for ever.",
    caughtBy: { ...health("gets nothing new until it is well; what it runs goes on"), simulation: "settles" },
  },
  {
    file: "src/core/placement/runtime.ts",
    replace: '  if (fleetHasContainers) return "has no Docker engine, as other hosts of its fleet do";\n',
    by: "",
    breaks: "A job with an image runs as a process, with whatever its host has installed, beside others in containers.",
    caughtBy: {
      ...runtime("where a job with an image runs > is nowhere on a host without one beside others that have one"),
      simulation: "containers where there are any",
    },
  },
  {
    file: "src/core/placement/blocks.ts",
    replace: 'const size = blocks === "auto" ? 1 : Math.ceil(ordered.length / blocks);',
    by: "const size = 1;",
    breaks: "Jobs get accelerators one by one on hosts that are divided into larger parts.",
    caughtBy: {
      file: "src/core/placement/blocks.test.ts",
      test: "jobs on a host whose fleet divides it > get whole parts, each its own, and are told what they got",
      simulation: "whole blocks",
    },
  },
  {
    file: "src/core/placement/runtime.ts",
    replace: "if (fleet?.settings.allow.processes ?? true) return null;",
    by: "if (fleet !== undefined) return null;",
    breaks: "Jobs run as processes where the fleet's file forbids them.",
    caughtBy: {
      ...runtime(
        "where a job with an image runs > is nowhere as a process where the fleet's file forbids them, with the line that does",
      ),
      simulation: "containers where there are any",
    },
  },
  {
    file: "src/core/hosts/agent-builds.ts",
    replace: "const build = givenOut ?? server;",
    by: "const build = server;",
    breaks: "Two servers that give out different builds of the agent take a host back and forth between them.",
    caughtBy: {
      ...updates(
        "two servers on one database > that give out different builds take no host back and forth: the one that began last is followed",
      ),
      simulation: "agents are told what is wanted",
    },
  },
  {
    file: "src/core/hosts/agent-updates.ts",
    replace: "const underWay = hosts.filter(",
    by: "const underWay = told.filter(",
    breaks:
      "While a host is on its way to a build that is not wanted any more another one is told to update beside it.",
    caughtBy: {
      ...updates(
        "a host that is on its way to a build that is not wanted any more > is told of the other one first, and nobody beside it",
      ),
      simulation: "agents are told what is wanted",
    },
  },
  {
    file: "src/core/hosts/agent-updates.ts",
    replace: "const isHalted = told.some(({ update }) => update?.failed);",
    by: "const isHalted = false;",
    breaks: "A build of the agent that does not work is given to one host after the other.",
    caughtBy: {
      ...updates("a host that went back > stops the update of its fleet, with a word in the journal"),
      simulation: "agents are told what is wanted",
    },
  },
  {
    file: "src/core/placement/mates.ts",
    replace: "      if (broken[0] && broken.every((way) => way !== null)) return broken[0];\n",
    by: "",
    breaks: "A worker is placed where no router reaches it, and a router where it reaches no worker.",
    caughtBy: {
      ...mates("a router > stands where it reaches a worker, although it would be spread otherwise"),
      simulation: "placed within reach",
    },
  },
  {
    file: "src/core/hosts/silence.ts",
    replace: "Math.min(now, draft.state.heardUpTo) >= at",
    by: "now >= at",
    breaks: "Replicas are given up whose host has reported in time to a server that is slow.",
    caughtBy: {
      file: "test/sim/storms.test.ts",
      test: "a server that reads slowly decides nothing about hosts whose reports wait, when > agents were away and come back in the last moment",
      rule: "what was sent in time is read first",
    },
  },
  {
    file: "src/core/hosts/returns.ts",
    replace: "(wasSilent || isHeardFirst)",
    by: "isHeardFirst",
    breaks: "The last hosts to come back after a mass silence are given up while others still come back.",
    caughtBy: {
      file: "src/core/hosts/silence.test.ts",
      test: "hosts of a fleet that fall silent > those still silent have that long since the last of the others came back",
    },
  },
];
