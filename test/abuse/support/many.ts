import { IDLE_CONNECTIONS_MAX } from "../../../src/node/limits.ts";
import { until } from "../../support/processes.ts";
import { unnoticed } from "./neighbour.ts";
import { head, RawSocket } from "./raw.ts";
import type { Victim } from "./victim.ts";

/** Connections opened at a time: as many as the kernel queues for a server that is busy. */
const AT_ONCE = 250;

/** Opens so many connections, one batch after the other, and begins with each as it is there. */
export async function openMany(
  victim: Victim,
  count: number,
  begin: (raw: RawSocket, i: number) => void = () => {},
): Promise<RawSocket[]> {
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

export function leave(all: RawSocket[]): void {
  for (const { socket } of all) socket.destroy();
}

/** Strangers who send nothing, a part of a head, a request and no more, or a head without its body. */
export async function manyStrangers(victim: Victim, count: number): Promise<void> {
  await unnoticed(victim, async () => {
    const before = victim.handles();
    const begun = [
      "",
      "GET /health HTTP/1.1\r\nHost: headrace\r\nX-Slow: ",
      head("GET /health"),
      head("POST /api/projects/bad/plan", { Authorization: "Bearer nobody", "Content-Length": "1000" }),
    ];
    const all = await openMany(victim, count, ({ socket }, i) => socket.write(begun[i % begun.length] as string));
    await until(
      () => victim.handles() <= before + IDLE_CONNECTIONS_MAX + AT_ONCE,
      () => `${victim.handles()} handles, ${before} before`,
    );
    leave(all);
  });
}
