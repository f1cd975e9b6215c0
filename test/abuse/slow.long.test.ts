import { afterAll, beforeAll, expect, test } from "vitest";
import { HEADERS_TIMEOUT_MS, TIMEOUT_CHECK_MS } from "../../src/node/limits.ts";
import { leave, manyStrangers, openMany } from "./support/many.ts";
import { unnoticed } from "./support/neighbour.ts";
import { RawSocket } from "./support/raw.ts";
import { GOOD, Victim } from "./support/victim.ts";

/** Abuse that takes its time, or the machine. */

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
  await victim.startSteadyService();
  await victim.startRoutedService();
});
afterAll(() => victim.dispose());

const MIB = 1024 ** 2;

test("heads that come a letter a second are given up in time", async () => {
  await unnoticed(victim, async () => {
    const started = performance.now();
    const slow = Array.from({ length: 100 }, () => new RawSocket(victim));
    for (const { socket } of slow) socket.write("GET /health HTTP/1.1\r\nHost: headrace\r\nX-Slow: ");
    const drip = setInterval(() => {
      for (const { socket } of slow) if (socket.writable) socket.write("x");
    }, 1_000);
    for (const { socket } of slow) socket.once("end", () => socket.destroy());
    await Promise.all(slow.map(({ closed }) => closed));
    clearInterval(drip);
    expect(performance.now() - started).toBeLessThan(5 * (HEADERS_TIMEOUT_MS + TIMEOUT_CHECK_MS));
    for (const { text } of slow) expect(text).toMatch(/^HTTP\/1\.1 408 .*"request_timeout"/s);
  });
});

test("a body of 1 GiB that a worker does read goes through whole, and through no more memory than another", async () => {
  await unnoticed(victim, async () => {
    const piece = new Uint8Array(MIB);
    let left = 1024;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        left -= 1;
        if (left < 0) controller.close();
        else controller.enqueue(piece);
      },
    });
    const answer = await fetch(victim.routedUrl("/v1/sink"), {
      method: "POST",
      headers: { authorization: `Bearer ${victim.tokens[GOOD]}` },
      body,
      duplex: "half",
    } as RequestInit);
    expect(await answer.json()).toEqual({ bytes: 1024 * MIB });
  });
});

test("ten thousand connections of strangers", async () => {
  await manyStrangers(victim, 10_000);
});

test("a thousand connections to a server that may open four hundred files leave room for those who ask", async () => {
  const small = await Victim.start(undefined, 400);
  try {
    const all = await openMany(small, 1_000);
    for (let i = 0; i < 20; i++) expect((await fetch(`${small.url}/health`)).status).toBe(200);
    expect(small.handles()).toBeLessThan(400);
    expect(small.alive).toBe(true);
    leave(all);
  } finally {
    await small.dispose();
  }
});
