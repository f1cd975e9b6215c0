import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import { chat } from "../support/chat.ts";
import { LocalCluster } from "../support/local-cluster.ts";

const FILE = join(ROOT, "test/fixtures/configs/pd-service-router.yml");
const SERVICE = "glm45air";
const MODEL = "zai-org/GLM-4.5-Air-FP8";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ declare: "cpu=16,memory=128,disk=500,gpu=H200:2" });
});
afterAll(() => cluster.dispose());

/** In the file each group has a host of its own to itself. Here they share one, so that their ports must be able to move. */
function onOneHost(text: string): string {
  return text
    .replaceAll("--port 8000", "--port $HEADRACE_PORT")
    .replaceAll("--disaggregation-bootstrap-port 8998", "--disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT");
}

test("a router that was declared without a launch line gets one, serves, and lets nobody change its workers", async () => {
  const applied = await cluster.applyExample(FILE, onOneHost, { HF_TOKEN: "none" });
  expect(applied.code, applied.output).toBe(0);
  expect(await chat(cluster.serviceUrl(SERVICE), cluster.token, { model: MODEL })).toMatchObject({
    status: 200,
    whole: true,
  });

  const router = (await cluster.view(SERVICE)).replicas.find(({ group }) => group === "router");
  const workers = `http://127.0.0.1:${router?.port}/workers`;
  expect((await fetch(workers)).status).toBe(401);
  expect((await fetch(workers, { headers: { authorization: `Bearer ${cluster.token}` } })).status).toBe(401);
  expect(readFileSync(FILE, "utf8")).not.toContain("smg launch");
});
