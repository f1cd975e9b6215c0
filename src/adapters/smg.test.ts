import { describe, expect, it } from "vitest";
import { routerAdapter } from "./index.ts";
import { smg } from "./smg.ts";

describe("SMG's worker list", () => {
  /** As 1.13.0 answers, shortened. */
  const listed = {
    id: "01a1fbbb-8dc6-7658-a09d-7defa1df0492",
    model_id: "m",
    url: "http://127.0.0.1:21100/",
    worker_type: "prefill",
    runtime_type: "sglang",
    labels: { disaggregation_mode: "prefill", pairing_protocol: "p" },
    bootstrap_port: 8998,
    is_healthy: true,
    status: "ready",
    load: 0,
  };
  const read = (...workers: object[]) => smg.list.read(200, JSON.stringify({ workers, total: workers.length }));

  it("is read with roles, labels and normalised addresses", () => {
    expect(read(listed)).toEqual([
      {
        handle: listed.id,
        url: "http://127.0.0.1:21100",
        status: "ready",
        role: "prefill",
        labels: listed.labels,
        bootstrapPort: 8998,
      },
    ]);
  });

  it("reads regular workers as workers, leaves encoders alone, and doubts a status it does not know", () => {
    const { bootstrap_port: _, ...decode } = { ...listed, worker_type: "regular", status: "warming" };
    expect(read(decode, { ...listed, worker_type: "encode" })).toMatchObject([
      { role: "worker", status: "not_ready", bootstrapPort: null },
    ]);
  });

  it("is unknown without an answer that says it", () => {
    expect(smg.list.read(401, "")).toBeNull();
    expect(smg.list.read(200, "not json")).toBeNull();
    expect(read({ id: "x" })).toBeNull();
    // A handle goes into a path; half a character would not even go into a URL.
    for (const id of ["../flush_cache", "", "\ud800", "x".repeat(1_000)]) expect(read({ ...listed, id })).toBeNull();
    expect(read()).toEqual([]);
  });
});

describe("adding a worker to SMG", () => {
  const body = (worker: Parameters<typeof smg.add>[0]) => JSON.parse(smg.add(worker).body ?? "");

  it("gives a prefill its bootstrap port, even when none was said", () => {
    const worker = { url: "http://h:1/", role: "prefill" as const, labels: { pairing_protocol: "p" } };
    expect(body({ ...worker, bootstrapPort: 9001 })).toMatchObject({
      url: "http://h:1",
      worker_type: "prefill",
      bootstrap_port: 9001,
      labels: { pairing_protocol: "p" },
    });
    expect(body({ ...worker, bootstrapPort: null }).bootstrap_port).toBe(8998);
  });

  it("gives others none, and a slow /health time to answer", () => {
    const added = body({ url: "http://h:1", role: "worker", bootstrapPort: null, labels: {} });
    expect(added).toMatchObject({ worker_type: "regular", health: { timeout_secs: 20, success_threshold: 1 } });
    expect(added).not.toHaveProperty("bootstrap_port");
  });
});

it("keeps SMG's circuit breaker from shutting out a worker for longer than the agent needs to take it out", () => {
  const added = smg.add({ url: "http://h:1", role: "decode", bootstrapPort: null, labels: {} });
  expect(JSON.parse(added.body ?? "")).toMatchObject({ resilience: { cb_timeout_secs: 2 } });
});

it("removes by the router's own handle", () => {
  expect(smg.remove("a/b")).toEqual({ method: "DELETE", path: "/workers/a%2Fb" });
});

it("is the adapter for `smg`; dynamo has none yet", () => {
  expect(routerAdapter("smg")).toBe(smg);
  expect(routerAdapter("dynamo")).toBeNull();
});
