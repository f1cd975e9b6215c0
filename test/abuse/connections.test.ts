import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IDLE_CONNECTIONS_MAX } from "../../src/node/limits.ts";
import { until } from "../support/processes.ts";
import { unnoticed } from "./support/neighbour.ts";
import { head, RawSocket } from "./support/raw.ts";
import { BAD, GOOD, ROUTED, Victim } from "./support/victim.ts";

/** Connections by the thousand, and readers that do not read. */

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
  await victim.startSteadyService();
  await victim.startRoutedService();
});
afterAll(() => victim.dispose());

const as = (project: typeof GOOD | typeof BAD) => ({ Authorization: `Bearer ${victim.tokens[project]}` });

/** Connections opened at a time: as many as the kernel queues for a server that is busy. */
const AT_ONCE = 250;

async function open(count: number, begin: (raw: RawSocket, i: number) => void): Promise<RawSocket[]> {
  const all: RawSocket[] = [];
  while (all.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - all.length) }, () => new RawSocket(victim));
    await Promise.all(
      some.map(({ socket }) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))),
    );
    for (const raw of some) begin(raw, all.push(raw));
  }
  return all;
}

function leave(all: RawSocket[]): void {
  for (const { socket } of all) socket.destroy();
}

test("ten thousand connections that send nothing, a part of a head, or one request and no more", async () => {
  await unnoticed(victim, async () => {
    const before = victim.handles();
    const begun = [
      "",
      "GET /health HTTP/1.1\r\nHost: headrace\r\nX-Slow: ",
      head("GET /health"),
      head("POST /api/projects/bad/plan", { Authorization: "Bearer nobody", "Content-Length": "1000" }),
    ];
    const all = await open(10_000, ({ socket }, i) => socket.write(begun[i % begun.length] as string));
    await until(
      () => victim.handles() <= before + IDLE_CONNECTIONS_MAX + AT_ONCE,
      () => `${victim.handles()} handles, ${before} before`,
    );
    leave(all);
  });
});

test("two hundred followers of one project are its bound, not another's", async () => {
  await unnoticed(victim, async () => {
    const follow = (project: typeof GOOD | typeof BAD) =>
      head(`GET /api/projects/${project}/commits/stream`, { ...as(project), Connection: "close" });
    const all = await open(200, ({ socket }) => socket.write(follow(BAD)));
    await until(
      () => all.every(({ text }) => text !== ""),
      () => "some get no answer",
    );
    const refused = all.filter(({ text }) => text.startsWith("HTTP/1.1 429"));
    expect(refused).toHaveLength(100);
    for (const { text } of refused) expect(text).toContain('"too_many"');
    const good = new RawSocket(victim);
    good.socket.write(follow(GOOD));
    await until(
      () => good.text.startsWith("HTTP/1.1 200"),
      () => good.text,
    );
    leave([...all, good]);
  });
});

test("two hundred readers that ask for a flood and never read hold their own streams up, and no memory", async () => {
  await unnoticed(victim, async () => {
    const all = await open(200, ({ socket }) => {
      socket.pause();
      socket.write(head(`GET /proxy/services/${GOOD}/${ROUTED}/v1/flood`, as(GOOD)));
    });
    // What fills then, fills within a second; nothing says so from outside.
    await delay(2_000);
    leave(all);
  });
});
