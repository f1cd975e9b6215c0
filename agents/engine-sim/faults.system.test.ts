import { afterAll, afterEach, describe, expect, it } from "vitest";
import { bodyFor, Engines, nextRoom, post, scrape } from "./testing/engines.ts";
import { statusOf } from "./testing/processes.ts";

/** What `--sim-fail` makes go wrong, and how it looks from outside: as SGLang's own ends do. */

const engines = new Engines();

afterEach(() => engines.stop());
afterAll(() => engines.clear());

describe("an engine that is to fail", () => {
  it("runs out of memory while it loads, with its port never open", async () => {
    const engine = await engines.start("--sim-fail", "load-oom");
    expect(await engine.ended).toBe("SIGKILL");
    expect(engine.output()).toContain("out of memory");
    expect(engine.output()).toContain("Received sigquit from a child process");
    expect(engine.output()).not.toContain("Uvicorn running");
  });

  it("dies of its warm-up, or some time after it was up", async () => {
    const [warmup, crash] = [
      await engines.start("--sim-fail", "warmup"),
      await engines.start("--sim-fail", "crash-after=0.2"),
    ];
    expect(await warmup.ended).toBe("SIGKILL");
    expect(warmup.output()).toContain("Initialization failed. warmup error");
    expect(warmup.output()).not.toContain("ready to roll");
    expect(await crash.ended).toBe("SIGKILL");
    expect(crash.output()).toContain("ready to roll");
    expect(crash.output()).toContain("Scheduler hit an exception");
  });

  it("hangs: becomes unhealthy, says nothing more of itself, and ends without a drain", async () => {
    const hangs = ["--sim-fail", "hang-after=0", "--sim-speed", "20"];
    const engine = await engines.startUp(...hangs, "--watchdog-timeout", "1000000");
    const asked = post(engine, JSON.stringify({ prompt: "x", max_tokens: 5 })).catch(() => null);
    expect(await statusOf(`${engine.url}/ready`)).toBe(200);
    expect(await statusOf(`${engine.url}/health`)).toBe(503);
    expect(await statusOf(`${engine.url}/ready`)).toBe(503);
    expect(await statusOf(`${engine.url}/v1/loads`)).toBe(200);
    const info = statusOf(`${engine.url}/server_info`);
    engine.process.kill("SIGTERM");
    expect(await engine.ended).toBe(0);
    expect([await info, await asked]).toEqual([0, null]);
    expect(engine.output()).toContain("Force exiting");
  });

  it("is killed by the watchdog when it hangs for too long", async () => {
    const engine = await engines.startUp("--sim-fail", "hang-after=1", "--sim-speed", "20", "--watchdog-timeout", "20");
    expect(await engine.ended).toBe("SIGKILL");
    expect(engine.output()).toContain("Watchdog timeout");
  });

  it("fails hand-overs, on both sides and in their counters", async () => {
    const { prefill, decode } = await engines.startPair({
      both: ["--enable-metrics"],
      prefill: ["--sim-fail", "transfer-prob=1"],
    });
    const body = bodyFor(prefill.bootstrapPort, nextRoom());
    const answers = await Promise.all([prefill, decode].map((engine) => post(engine, body)));
    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
    for (const engine of [prefill, decode]) {
      expect((await scrape(engine)).value("sglang:num_transfer_failed_reqs_total")).toBe(1);
      expect(engine.records()).toMatchObject([{ outcome: "failed" }]);
    }
  });
});
