import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STREAM_EVENTS } from "../../bench/proxy/traffic.ts";
import { ROOT } from "../../scripts/bootstrap.js";
import { LocalCluster } from "../support/local-cluster.ts";
import { freePort } from "../support/ports.ts";

/** The operator of this server says that it may connect to replicas itself. */
let cluster: LocalCluster;
const ask = (path: string) =>
  request(`${cluster.serviceUrl("chat")}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${cluster.token}` },
    body: "{}",
  });

beforeAll(async () => {
  cluster = await LocalCluster.start({ serverEnv: { HEADRACE_DIRECT_FLEETS: "main/default=127.0.0.0/8" } });
  const port = await freePort();
  const upstream = `exec ${process.execPath} ${join(ROOT, "bench/proxy/upstream.ts")} ${port}`;
  const config = [
    "type: service",
    "name: chat",
    `port: ${port}`,
    `commands: [${JSON.stringify(upstream)}]`,
    "resources: { cpu: 1.., memory: 100MB.., disk: 100MB.. }",
    "probes: [{ type: http, url: / }]",
  ].join("\n");
  await cluster.client().apply({ config, file: "chat.yml", env: {} });
  await cluster.untilReady("chat");
});

afterAll(() => cluster.dispose());

describe("the direct way", () => {
  test("outlives the host's agent: no stream is cut, and new requests are served", async () => {
    const stream = await ask("/stream");
    expect(stream.statusCode).toBe(200);
    let text = "";
    for await (const chunk of stream.body) {
      if (text === "") await cluster.agent?.stop("SIGKILL");
      text += chunk;
    }
    expect(text.match(/"madeAt"/g)).toHaveLength(STREAM_EVENTS);
    expect(text).toContain("[DONE]");
    const after = await ask("/v1/chat/completions");
    expect([after.statusCode, ((await after.body.json()) as { id: string }).id]).toEqual([200, "bench"]);
    // It comes back and finds its job again, so that what was started here can be stopped.
    await cluster.startAgent();
  });
});
