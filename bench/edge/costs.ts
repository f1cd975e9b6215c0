import { EdgePlane } from "../../test/support/edge/edge-plane.ts";
import type { ObedientAgent } from "../../test/support/obedient-agent.ts";
import type { BenchTable } from "../support/report.ts";
import { type Cost, costOf } from "./counted.ts";

const SERVICE = `
type: service
name: web
port: 8000
commands: [python3 -m http.server 8000]
resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }
`;

/** A commit is followed by an alarm that looks whether its wake-ups went out; see SETTLED_WITHIN_MS of the object. */
const AFTER_COMMIT_MS = 6_000;
/** An entry and a permission are believed for two seconds. */
const FORGOTTEN_MS = 2_500;

/** What the things that happen cost, each counted on its own. */
export async function measureCosts(): Promise<BenchTable> {
  await using ends = new AsyncDisposableStack();
  const plane = ends.use(await EdgePlane.start());
  const joined = (agent: ObedientAgent) => ends.adopt(agent, () => agent.close());
  const rows: { what: string; cost: Cost }[] = [];
  const note = async (what: string, work: () => Promise<unknown>, watchMs = 0) => {
    process.stderr.write(`counting: ${what}\n`);
    rows.push({ what, cost: await costOf(plane, work, watchMs) });
  };
  const proxied = () => plane.get("/proxy/services/main/web/").then((answer) => answer.arrayBuffer());
  const apply = (config: string) => plane.client().apply({ config, file: "web.yml", env: {} });
  await plane.client().services();
  const joinTokens = [await plane.joinToken(), await plane.joinToken()] as const;

  let agent!: ObedientAgent;
  const join = async () => {
    agent = joined(await plane.join("host-1", joinTokens[0]));
  };
  await note("a host joins", join, AFTER_COMMIT_MS);
  await note("it opens its link", () => agent.connect(plane.url));
  await note("its first sync", () => agent.sync());
  await agent.sync();
  await note("a sync without news, over the link", () => agent.sync());
  await note("an apply (one commit, one host woken)", () => apply(SERVICE), AFTER_COMMIT_MS);
  await note("the woken host's sync: it is told what to run", () => agent.sync());
  await note("a report with news (one commit)", () => agent.sync(), AFTER_COMMIT_MS);
  await agent.sync();
  await note("a sync without news, over the link, with a job", () => agent.sync());
  await note("a proxied request, the first", proxied);
  await note("the same again within two seconds", proxied);
  await note("a proxied request after a pause", async () => {
    await new Promise((resolve) => setTimeout(resolve, FORGOTTEN_MS));
    await proxied();
  });
  await note("a plan", () => plane.client().plan({ config: SERVICE, file: "web.yml", env: {} }));
  await note("a list of services", () => plane.client().services());
  await note("the cron trigger, nothing overdue", () => plane.ringCron());

  const asking = joined(await plane.join("host-2", joinTokens[1]));
  await note("first sync of a host without a link", () => asking.post(plane.url));
  await asking.post(plane.url);
  await note("a sync without news, by POST", () => asking.post(plane.url));
  return {
    title: "What one of each costs, counted",
    columns: [
      { key: "what", title: "what" },
      { key: "outside", title: "requests from outside" },
      { key: "among", title: "among Worker and objects" },
      { key: "database", title: "to the database" },
      { key: "messages", title: "messages over links" },
      { key: "alarms", title: "alarms" },
      { key: "writes", title: "rows written by objects" },
    ],
    rows: rows.map(({ what, cost }) => ({ what, ...cost })),
  };
}
