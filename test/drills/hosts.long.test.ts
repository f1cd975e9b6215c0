import { expect, test } from "vitest";
import { expectNoneFailed, expectServing, expectTimes } from "./expect.ts";
import { runDrill } from "./run.ts";

test.each(["frozen", "cut"] as const)(
  "a host that is %s is routed around and replaced, and fits in again when it is back",
  async (name) => {
    const found = await runDrill(name);
    for (const way of [found.proxy, found.direct]) {
      // What was sent to the lost host waits, for its return or for the router to try another: nothing is refused.
      expectNoneFailed(way.underWay);
      expectNoneFailed(way.window);
      expectServing(way.after);
    }
    expect(found.seen.onOther).toBe(found.seen.wereOnLost);
    expect(found.seen.left).toEqual(["decode ready", "decode ready", "prefill ready", "prefill ready", "router ready"]);
    expectTimes(found);
  },
);
