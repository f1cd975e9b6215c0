import { BUDGETS_MS } from "../test/drills/budgets.ts";
import type { Finding } from "../test/drills/drill.ts";
import { DRILLS, type DrillName } from "../test/drills/drills.ts";
import type { Counts, Phases } from "../test/drills/load.ts";
import { runDrill } from "../test/drills/run.ts";
import { type BenchResult, spreadOf } from "./support/report.ts";

/** A drill takes twenty seconds, that of a lost host a minute. Full disks and clocks are about what does not happen. */
const ROUNDS: Partial<Record<DrillName, number>> = {
  outage: 1,
  frozen: 2,
  cut: 2,
  "agent-disk": 1,
  "server-disk": 1,
  "agent-clock": 1,
  "server-clock": 1,
};
const ROUNDS_USUAL = 3;

/** What the times of the findings say, in the words of the table. */
const TIME_TITLES: Record<string, string> = {
  outOfRouter: "fault -> out of the router",
  outOfRouterFrozen: "fault -> out of the router",
  restartDecided: "fault -> restart in place decided",
  replacementDecided: "fault -> replacement elsewhere decided",
  replaced: "fault -> replacements ready",
  listedAgain: "fault -> the restarted worker listed again",
  servingAfterReady: "it is ready again -> the last request that fails",
  proxyServingAfterReady: "it is ready again -> the last one through the control plane",
  answersAgain: "fault -> the restarted router answers",
  listedAfterReturn: "its return -> all workers listed",
  servingAfterReturn: "its return -> first 200",
  proxyServingAfterReturn: "its return -> first 200 through the control plane",
  linkedAfterReturn: "its return -> all links back",
  servingAfterOutage: "its return after two minutes -> first 200 through the control plane",
  linkedAfterOutage: "its return after two minutes -> all links back",
  linked: "fault -> link back (agent started again at once)",
  serving: "fault -> first 200 through the control plane",
  settledAfterReturn: "the host's return -> as many workers as wanted",
  listedAfterRoom: "room again -> all workers listed",
  appliedAfterRoom: "room again -> a change applied and ready",
  forwardOut: "clock +1 h: fault -> out of the router",
  forwardRestart: "clock +1 h: fault -> restart decided",
  backwardOut: "clock -1 h: fault -> out of the router",
  backwardRestart: "clock -1 h: fault -> restart decided",
  restartedOut: "started at -1 h: fault -> out of the router",
  restartedRestart: "started at -1 h: fault -> restart decided",
};

/**
 * Every drill a few times: how long each step of a recovery takes, and what became of the requests that two open loops
 * of streaming clients sent meanwhile, seven a second in all.
 */
export default async function bench(): Promise<BenchResult> {
  const names = Object.keys(DRILLS) as DrillName[];
  const times: BenchResult["tables"][number]["rows"] = [];
  const requests: BenchResult["tables"][number]["rows"] = [];
  for (const name of names) {
    const found: Finding[] = [];
    for (let round = 1; round <= (ROUNDS[name] ?? ROUNDS_USUAL); round += 1) {
      process.stderr.write(`${DRILLS[name].title}: ${round}\n`);
      found.push(await runDrill(name));
    }
    const drill = DRILLS[name].title;
    for (const time of Object.keys(found[0]?.times ?? {})) {
      const seconds = spreadOf(found.map(({ times }) => (times[time] ?? Number.NaN) / 1_000));
      const budget = BUDGETS_MS[time];
      times.push({ drill, what: TIME_TITLES[time] ?? time, seconds, budget: budget ? budget / 1_000 : null });
    }
    for (const way of ["proxy", "direct"] as const) {
      const row = (phase: keyof Phases) => textOf(found.map((finding) => finding[way][phase]));
      requests.push({ drill, way, underWay: row("underWay"), window: row("window"), after: row("after") });
    }
  }
  return {
    about:
      "A router, two prefills and two decodes (simulated engines, 12 ms a token) on three hosts. Streams of about a second " +
      "arrive at a fixed rate, four a second through the control plane (proxy) and three at the router (direct), whatever fails.",
    tables: [
      {
        title: "Times, median (least - most)",
        columns: [
          { key: "drill", title: "drill" },
          { key: "what", title: "from -> to" },
          { key: "seconds", title: "time", unit: "s" },
          { key: "budget", title: "budget", unit: "s" },
        ],
        rows: times,
      },
      {
        title: "Requests by when they were begun, all rounds: sent, of them failed / cut / given up",
        columns: [
          { key: "drill", title: "drill" },
          { key: "way", title: "way" },
          { key: "underWay", title: "under way at the fault" },
          { key: "window", title: "until it was dealt with" },
          { key: "after", title: "after" },
        ],
        rows: requests,
      },
    ],
  };
}

function textOf(counts: Counts[]): string {
  const sum = (of: (one: Counts) => number) => counts.reduce((total, one) => total + of(one), 0);
  return `${sum((one) => one.sent)}: ${sum((one) => one.failed)} / ${sum((one) => one.cut)} / ${sum((one) => one.hung)}`;
}
