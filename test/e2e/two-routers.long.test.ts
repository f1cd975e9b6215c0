import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import { LocalCluster } from "../support/local-cluster.ts";
import { OpenLoop } from "../support/open-loop.ts";
import { until } from "../support/processes.ts";

const EXAMPLE = join(ROOT, "examples/prefill-decode.yml");
const SERVICE = "prefill-decode";
const MODEL = "Qwen/Qwen3-8B";

/** Some forty streams of half a second under way in turn: every router has some at any moment. */
const PER_SECOND = 10;
const TOKENS = 40;
/** Before the kill and after the router is back: enough that both routers have had their turns. */
const REQUESTS = 40;
const LAST_ANSWERS_MS = 20_000;

/** Over the link a router's agent holds back what it cannot serve yet; on the direct way the proxy asks the other one. */
const WAYS: [string, NodeJS.ProcessEnv][] = [
  ["over the link", {}],
  ["on the direct way", { HEADRACE_DIRECT_FLEETS: "main/default=127.0.0.0/8" }],
];

let cluster: LocalCluster | null = null;

afterEach(() => cluster?.dispose());

test.each(WAYS)(
  "losing one of two routers costs no new request, and it is given all workers again: %s",
  async (_way, serverEnv) => {
    cluster = await LocalCluster.start({ serverEnv });
    await loseOneOfTwoRouters(cluster);
  },
);

async function loseOneOfTwoRouters(cluster: LocalCluster): Promise<void> {
  const applied = await cluster.applyExample(EXAMPLE, (text) => text.replace(/(name: router\n\s+count: )1/, "$12"));
  expect(applied.code, applied.output).toBe(0);
  const routers = async () =>
    (await cluster.view(SERVICE)).replicas.filter(({ group, status }) => group === "router" && status === "ready");
  expect(await routers()).toHaveLength(2);
  const [victim] = await routers();

  const body = { model: MODEL, stream: true, max_tokens: TOKENS, ignore_eos: true };
  const loop = new OpenLoop({ url: cluster.serviceUrl(SERVICE), token: cluster.token, perSecond: PER_SECOND, body });
  const moreAnswers = async () => {
    const goal = loop.served.length + REQUESTS;
    await until(
      () => loop.served.length >= goal,
      () => "requests do not end",
    );
  };
  await moreAnswers();
  const killedAt = performance.now();
  expect(cluster.killJob(victim?.id ?? "")).toBeGreaterThan(0);
  await moreAnswers();
  await until(
    async () => (await routers()).some(({ id, observed }) => id === victim?.id && (observed?.attempt ?? 0) > 1),
    () => `the router does not come back\n${cluster.agent?.output()}`,
  );
  await moreAnswers();
  const served = await loop.stop(LAST_ANSWERS_MS);

  const fresh = served.filter(({ at }) => at >= killedAt);
  expect(fresh.length).toBeGreaterThan(REQUESTS);
  expect(fresh.filter(({ outcome }) => outcome !== "whole")).toEqual([]);
  // What the router was passing on when it died is cut; what went through the other one, or was over by then, is whole.
  const before = served.filter(({ at }) => at < killedAt);
  const broken = before.filter(({ outcome }) => outcome !== "whole");
  expect(broken.every(({ endedAt }) => endedAt >= killedAt)).toBe(true);
  expect(before.length).toBeGreaterThan(broken.length);
}
