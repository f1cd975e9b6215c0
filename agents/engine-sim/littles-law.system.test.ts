import { describe, expect, it } from "vitest";
import { arrivalGaps, VirtualEngine } from "./testing/virtual-engine.ts";

describe("acceptance (a): Little's law", () => {
  it("holds: requests in the engine are their rate times their latency, within 5 %", async () => {
    const engine = new VirtualEngine("--sim-profile", "llama-8b-bf16");
    const { clock } = engine;
    const gap = arrivalGaps(12, 7);
    const until = 90_000;
    const served: ReturnType<VirtualEngine["complete"]>[] = [];
    const arrivals = async () => {
      for (let index = 0; clock.now() < until; index += 1) {
        await clock.sleep(gap());
        served.push(engine.complete({ prompt: `${index} `.repeat(500), max_tokens: 150 }));
      }
    };
    const looks: number[] = [];
    const [rank] = engine.engine.ranks;
    const looking = async () => {
      for (; clock.now() < until; await clock.sleep(100)) looks.push(rank!.published.running + rank!.published.waiting);
    };
    await clock.run(Promise.all([arrivals(), looking()]));
    const requests = await clock.run(Promise.all(served));
    const latencyS = requests.reduce((sum, { start, end }) => sum + (end - start), 0) / requests.length / 1000;
    const inside = looks.reduce((sum, count) => sum + count, 0) / looks.length;
    const rate = requests.length / (until / 1000);
    expect(requests.length).toBeGreaterThan(900);
    expect(inside).toBeGreaterThan(5);
    expect(Math.abs(inside / (rate * latencyS) - 1)).toBeLessThan(0.05);
  });
});
