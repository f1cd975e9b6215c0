import { describe, expect, it } from "vitest";
import { sglang } from "./sglang.ts";

describe("what SGLang says of itself", () => {
  const read = (info: object) => sglang.identify.read(200, JSON.stringify(info));

  it("is its role, and for a prefill where decodes meet it", () => {
    expect(read({ disaggregation_mode: "prefill", disaggregation_bootstrap_port: 9001, status: "ready" })).toEqual({
      role: "prefill",
      bootstrapPort: 9001,
    });
    expect(read({ disaggregation_mode: "decode", disaggregation_bootstrap_port: 8998 })).toEqual({
      role: "decode",
      bootstrapPort: null,
    });
    expect(read({ disaggregation_mode: "null" })).toEqual({ role: "worker", bootstrapPort: null });
    expect(read({ disaggregation_mode: null })).toEqual({ role: "worker", bootstrapPort: null });
  });

  it("has no bootstrap port where it names none that could be", () => {
    for (const port of [0, -1, 1.5, 1e300, "9001", 70_000]) {
      expect(read({ disaggregation_mode: "prefill", disaggregation_bootstrap_port: port })?.bootstrapPort).toBe(8998);
    }
  });

  it("is nothing when another program answers", () => {
    expect(sglang.identify.read(404, "")).toBeNull();
    expect(sglang.identify.read(200, "<html>")).toBeNull();
    expect(read({ disaggregation_mode: "both" })).toBeNull();
    expect(read({})).toBeNull();
  });
});

describe("whether SGLang is idle", () => {
  const core = { dp_rank: 0, num_running_reqs: 0, num_waiting_reqs: 0, num_used_tokens: 70, token_usage: 0.1 };
  const disaggregation = {
    mode: "prefill",
    prefill_bootstrap_queue_reqs: 0,
    prefill_inflight_queue_reqs: 0,
    decode_prealloc_queue_reqs: 0,
    decode_transfer_queue_reqs: 0,
    decode_retracted_queue_reqs: 0,
    kv_transfer_speed_gb_s: 12.5,
  };
  const queues = { waiting: 0, grammar: 0, paused: 0, retracted: 0, prealloc_ready: 0 };
  const read = (...loads: object[]) => sglang.idle.read(200, JSON.stringify({ version: "0.5.23", loads }));

  it("is so when every counter is zero, in the shape of 0.5.23 and of 0.5.10", () => {
    expect(read({ ...core, disaggregation, queues })).toBe(true);
    const aggregate = { total_running_reqs: 0, total_reqs: 0 };
    const loads = [{ ...core, num_total_reqs: 0, disaggregation: null }];
    expect(sglang.idle.read(200, JSON.stringify({ dp_rank_count: 1, loads, aggregate }))).toBe(true);
  });

  const busy: object[] = [
    { num_running_reqs: 1 },
    { num_waiting_reqs: 1 },
    { num_total_reqs: 1 },
    ...Object.keys(disaggregation)
      .filter((name) => name.endsWith("_reqs"))
      .map((name) => ({ disaggregation: { ...disaggregation, [name]: 1 } })),
    ...Object.keys(queues).map((name) => ({ queues: { ...queues, [name]: 1 } })),
  ];
  it.each(busy)("is not so with %j", (change) => {
    expect(read({ ...core, disaggregation, queues, ...change })).toBe(false);
    expect(read({ ...core, disaggregation, queues }, { ...core, disaggregation, queues, ...change })).toBe(false);
  });

  it("is unknown without an answer that says it", () => {
    expect(sglang.idle.read(503, "{}")).toBeNull();
    expect(sglang.idle.read(200, '{"loads":[]}')).toBeNull();
    expect(read({ dp_rank: 0 })).toBeNull();
  });
});
