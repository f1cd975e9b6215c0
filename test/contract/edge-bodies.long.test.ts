import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { streamOf } from "../../src/link/flows.ts";
import type { ReceivedBody } from "../../src/link/types.ts";
import { LinkStage } from "../support/link-stage.ts";
import { json } from "../support/played-host.ts";
import { residentMib } from "../support/process-figures.ts";

// A body passes the Worker and a host's object piece by piece: neither ever holds it, however large it is.

/** Four times what Cloudflare lets through to a Worker on its smaller plans; it refuses more itself (413). */
const BODY_BYTES = 400 * 1_024 * 1_024;
const CHUNK = new Uint8Array(1_024 * 1_024).fill(7);
/**
 * Were it held, the process would grow by the whole of it. It was seen to grow by 165: pieces that were passed on, and that
 * nothing has urged workerd to collect yet.
 */
const GROWTH_MIB_MAX = 300;
/** How often memory is looked at. */
const LOOK_MS = 50;

let stage: LinkStage;
beforeAll(async () => {
  stage = await LinkStage.start("workerd");
});
afterEach(() => stage.clear());
afterAll(() => stage?.dispose());

/** Counts the bytes of a body as they come. */
async function count(body: ReceivedBody): Promise<number> {
  let bytes = 0;
  for await (const chunk of streamOf(body)) bytes += chunk.byteLength;
  return bytes;
}

/** A body of that size, made as it is wanted. */
function large(): ReadableStream<Uint8Array> {
  let left = BODY_BYTES;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= CHUNK.byteLength;
      controller.enqueue(CHUNK.slice());
    },
  });
}

/** By how much the process of the Worker grows at most meanwhile, in MiB. */
async function growth(work: () => Promise<void>): Promise<number> {
  const { pid } = stage.server;
  const before = residentMib(pid);
  let most = before;
  const look = setInterval(() => {
    most = Math.max(most, residentMib(pid));
  }, LOOK_MS);
  try {
    await work();
  } finally {
    clearInterval(look);
  }
  return most - before;
}

test("a body of 400 MiB reaches a replica whole, and is never held", async () => {
  const host = await stage.here();
  const service = await stage.serve(host);
  host.answering = async (_, body) => json(200, { bytes: await count(body) });
  // The first request of all makes what is needed once.
  await (await stage.fetch(service, "/v1/once", { method: "POST", body: "{}" })).json();
  const grown = await growth(async () => {
    const response = await stage.fetch(service, "/v1/large", { method: "POST", body: large(), duplex: "half" });
    expect(await response.json()).toEqual({ bytes: BODY_BYTES });
  });
  process.stderr.write(`workerd grew by ${grown.toFixed(0)} MiB over a body of 400 MiB\n`);
  expect(grown).toBeLessThan(GROWTH_MIB_MAX);
  expect(host.ended).toBeNull();
});
