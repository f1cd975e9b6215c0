import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { isNobodyThere, PAUSE_UNLINKED_MS_MAX, reconnectDelayMs, toldDelayMs } from "./reconnect.ts";

describe("the pause before dialling again", () => {
  it.each([
    [0, 500, 1_000],
    [29_000, 500, 1_000],
    [60_000, 3_000, 6_000],
    [300_000, 12_500, 25_000],
    [86_400_000, 12_500, 25_000],
  ])("after %i ms without a link is from %i to %i ms", (lostForMs, least, most) => {
    expect(reconnectDelayMs(lostForMs, 0)).toBe(least);
    expect(reconnectDelayMs(lostForMs, 1)).toBe(most);
  });

  it("is what the server said and up to a second, a minute at most, and not more often than five times", () => {
    expect([0, 0.5, 1].map((random) => toldDelayMs(20_000, 1, random))).toEqual([20_000, 20_500, 21_000]);
    expect(toldDelayMs(86_400_000, 5, 0)).toBe(60_000);
    expect(toldDelayMs(1_000, 6, 0)).toBeNull();
  });

  it("grows further where the host needs no link to be heard", () => {
    expect(reconnectDelayMs(60_000, 1, PAUSE_UNLINKED_MS_MAX)).toBe(6_000);
    expect(reconnectDelayMs(86_400_000, 1, PAUSE_UNLINKED_MS_MAX)).toBe(300_000);
  });
});

describe("that nobody is there", () => {
  it("is said of a port on which nobody listens, and not of a server that lets no link through", async () => {
    const server = createServer((socket) => socket.resetAndDestroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const socket = connect(port, "127.0.0.1");
    const [reset] = await once(socket, "error");
    expect(isNobodyThere(reset)).toBe(false);
    server.close();
    await once(server, "close");
    const [refused] = await once(connect(port, "127.0.0.1"), "error");
    expect(isNobodyThere(refused)).toBe(true);
  });
});
