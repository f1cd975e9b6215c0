import { afterAll, afterEach, describe, expect, it } from "vitest";
import { freePorts } from "../../test/support/ports.ts";
import { Engines, isUp, post } from "./testing/engines.ts";
import { statusOf, until } from "./testing/processes.ts";

/** One engine of two processes. */

const engines = new Engines();

afterEach(() => engines.stop());
afterAll(() => engines.clear());

async function startBoth(...flags: string[]) {
  const [meeting] = (await freePorts(1)) as [number];
  const together = ["--nnodes", "2", "--dist-init-addr", `127.0.0.1:${meeting}`, "--sim-speed", "20", ...flags];
  const other = await engines.start(...together, "--node-rank", "1");
  const zero = await engines.start(...together, "--node-rank", "0");
  await isUp(zero);
  await until("the other answers probes", async () => (await statusOf(`${other.url}/health`)) === 200, [other]);
  return { zero, other };
}

describe("an engine of two nodes", () => {
  it("is served by rank 0 alone, and ends in peace by it", async () => {
    const { zero, other } = await startBoth();
    expect((await post(zero, JSON.stringify({ prompt: "x", max_tokens: 3 }))).status).toBe(200);
    expect(await (await fetch(`${zero.url}/server_info`)).json()).toMatchObject({ nnodes: 2, node_rank: 0 });
    expect(await statusOf(`${other.url}/v1/models`)).toBe(404);
    expect(await statusOf(`${other.url}/ping`)).toBe(200);
    other.process.kill("SIGTERM");
    zero.process.kill("SIGTERM");
    expect([await zero.ended, await other.ended]).toEqual([0, 0]);
  });

  it("dies as a whole when one of its processes does", async () => {
    const first = await startBoth();
    first.zero.process.kill("SIGKILL");
    expect(await first.other.ended).toBe("SIGKILL");
    expect(first.other.output()).toContain("rank 0 of this engine is gone");
    const second = await startBoth("--sim-version", "0.5.10");
    second.other.process.kill("SIGTERM");
    expect(await second.other.ended).toBe("SIGTERM");
    expect(await second.zero.ended).toBe("SIGKILL");
  });

  it("does not start without all of them", async () => {
    const [meeting] = (await freePorts(1)) as [number];
    const flags = [
      "--nnodes",
      "2",
      "--dist-init-addr",
      `127.0.0.1:${meeting}`,
      "--dist-timeout",
      "5",
      "--sim-speed",
      "20",
    ];
    const zero = await engines.start(...flags, "--node-rank", "0");
    expect(await zero.ended).toBe(1);
    expect(zero.output()).toContain("0 of 1 other nodes came in time");
  });
});
