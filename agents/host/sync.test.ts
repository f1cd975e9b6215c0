import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { reportOf } from "../../test/support/reports.ts";
import { type Carried, Post } from "./carriers.ts";
import { Sync } from "./sync.ts";

const REFUSED: Carried = { status: 429, text: "too many", retryAfterMs: 20_000 };

describe("a report that the server refuses and says when to come back", () => {
  let askedAt: number[];
  let answer: Carried;
  let sync: Sync;

  beforeEach(() => {
    vi.useFakeTimers();
    askedAt = [];
    answer = REFUSED;
    sync = new Sync({
      project: "main",
      host: "h1",
      held: () => ({ desired: null, hash: "" }),
      report: async () => reportOf({}),
      agent: () => reportOf({}).agent,
      accepted: async () => {},
      update: () => {},
      take: async () => {},
      takePeers: () => {},
      post: async () => {
        askedAt.push(performance.now());
        return answer;
      },
      log: () => {},
    });
    sync.goWithoutLink();
  });

  afterEach(async () => {
    await sync.close();
    vi.useRealTimers();
  });

  /** The pauses between one report and the next, as they came in this time. */
  async function pauses(forMs: number): Promise<number[]> {
    await vi.advanceTimersByTimeAsync(forMs);
    return askedAt.slice(1).map((at, i) => at - (askedAt[i] as number));
  }

  it("is sent again then, or within the second after", async () => {
    await vi.advanceTimersByTimeAsync(1_000);
    // What changes meanwhile does not bring it sooner.
    sync.soon();
    const [first, ...more] = await pauses(29_000);
    expect(first).toBeGreaterThanOrEqual(20_000);
    expect(first).toBeLessThan(21_500);
    expect(more).toEqual([]);
  });

  it("waits a minute at most, and not more often than five times in a row", async () => {
    answer = { ...REFUSED, retryAfterMs: 3_600_000 };
    const waited = await pauses(6 * 62_000);
    expect(waited.slice(0, 5).every((ms) => ms >= 60_000 && ms < 61_500)).toBe(true);
    expect(waited[5]).toBeLessThan(30_000);
  });

  it("comes as it did before where the server says nothing", async () => {
    answer = { ...REFUSED, retryAfterMs: null };
    expect((await pauses(10_000))[0]).toBeLessThan(2_500);
  });
});

it("a server says when to come back in a header", async () => {
  let header: string | null = "7";
  const server = createServer((_request, response) => {
    response.writeHead(429, header === null ? {} : { "retry-after": header }).end("too many");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const post = new Post(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "hr_x");
  try {
    const said: (number | null)[] = [];
    for (header of ["7", null, "soon", "Wed, 21 Oct 2015 07:28:00 GMT"]) {
      const { status, retryAfterMs } = await post.carry(new Uint8Array(2), AbortSignal.timeout(5_000));
      expect(status).toBe(429);
      said.push(retryAfterMs);
    }
    expect(said).toEqual([7_000, null, null, null]);
  } finally {
    post.close();
    server.closeAllConnections();
    server.close();
  }
});
