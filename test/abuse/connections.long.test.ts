import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/processes.ts";
import { leave, manyStrangers, openMany } from "./support/many.ts";
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

test("two and a half thousand connections of strangers, of which a thousand may stay", async () => {
  await manyStrangers(victim, 2_500);
});

test("two hundred followers of one project are its bound, not another's", async () => {
  await unnoticed(victim, async () => {
    const follow = (project: typeof GOOD | typeof BAD) =>
      head(`GET /api/projects/${project}/commits/stream`, { ...as(project), Connection: "close" });
    const all = await openMany(victim, 200, ({ socket }) => socket.write(follow(BAD)));
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
    const all = await openMany(victim, 200, ({ socket }) => {
      socket.pause();
      socket.write(head(`GET /proxy/services/${GOOD}/${ROUTED}/v1/flood`, as(GOOD)));
    });
    // What fills then, fills within a second; nothing says so from outside.
    await delay(2_000);
    leave(all);
  });
});
