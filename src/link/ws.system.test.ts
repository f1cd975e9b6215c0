import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { LinkError } from "./errors.ts";
import { UNSENT_BYTES_SOFT, WINDOW_BYTES } from "./limits.ts";
import type { Link } from "./link.ts";
import { bytesOf, fed, pattern, pieces, text, textOf, until } from "./testing.ts";
import type { LinkAnswer, LinkBody, LinkHandler } from "./types.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "./ws.ts";

const ok = (body: LinkBody): LinkAnswer => ({ head: { status: 200, headers: [] }, body });
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) await close();
});

/** A link over real sockets on this machine. */
async function connected(dialledHandler: LinkHandler, closed: (reason: LinkError) => void = () => undefined) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", ...LINK_SOCKET_OPTIONS });
  await once(server, "listening");
  const accepting = once(server, "connection") as Promise<[WebSocket]>;
  const dialledSocket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, LINK_SOCKET_OPTIONS);
  const [[acceptedSocket]] = await Promise.all([accepting, once(dialledSocket, "open")]);
  closing.push(async () => {
    dialledSocket.terminate();
    acceptedSocket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  const dialled = linkOverWebSocket(dialledSocket, { side: "dialled", handler: dialledHandler, later: setImmediate });
  const accepted: Link = linkOverWebSocket(acceptedSocket, {
    side: "accepted",
    handler: async () => ok(text("from control")),
    later: setImmediate,
    closed,
  });
  return { dialled, accepted, dialledSocket, acceptedSocket };
}

describe("a link over real sockets", () => {
  it("carries requests both ways", async () => {
    const { accepted, dialled } = await connected(async (_open, body) => ok(body));
    expect(await textOf((await accepted.request({}, text("echo"))).body)).toBe("echo");
    expect(await textOf((await dialled.request({})).body)).toBe("from control");
  });

  it("carries 20 MiB up and down, whole", async () => {
    const { accepted } = await connected(async (_open, body) => ok(body));
    const bytes = pattern(20 * 1024 * 1024);
    const answer = await accepted.request({}, pieces(bytes, 100_000).body);
    expect(Buffer.compare(await bytesOf(answer.body), bytes)).toBe(0);
  });

  it("lets 300 streams run at once, each token on its own", async () => {
    const { accepted, dialled } = await connected(async (open) => {
      let token = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setImmediate(resolve));
          if (token === 50) return controller.close();
          controller.enqueue(text(`${open}:${token++} `));
        },
      });
      return ok(body);
    });
    const texts = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => textOf((await accepted.request(i)).body)),
    );
    texts.forEach((each, i) => {
      expect(each).toBe(Array.from({ length: 50 }, (_, token) => `${i}:${token} `).join(""));
    });
    await until(() => dialled.openStreams === 0);
  });

  it("does not fill memory when the other end's socket is not read", async () => {
    const sources = Array.from({ length: 40 }, () => pieces(pattern(WINDOW_BYTES), 32 * 1024));
    const { accepted, acceptedSocket, dialledSocket } = await connected(async (open) =>
      ok(sources[open as number]!.body),
    );
    acceptedSocket.pause();
    const answers = sources.map((_, i) => accepted.request(i));
    const taken = () => sources.reduce((sum, { state }) => sum + state.takenBytes, 0);
    // What the kernel's buffers and our bound hold; it must stand still although 10 MiB of windows are open.
    let before = -1;
    while (before !== taken() || taken() === 0) {
      before = taken();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(dialledSocket.bufferedAmount).toBeLessThan(UNSENT_BYTES_SOFT * 2);
    acceptedSocket.resume();
    const bodies = await Promise.all(answers.map(async (answer) => bytesOf((await answer).body)));
    expect(bodies.every((body) => body.byteLength === WINDOW_BYTES)).toBe(true);
  });

  it("ends at both ends when the connection is lost, with what was open", async () => {
    const source = fed();
    let reason: LinkError | undefined;
    const { accepted, dialled, dialledSocket } = await connected(
      async () => ok(source.body),
      (error) => {
        reason = error;
      },
    );
    const answer = await accepted.request({});
    dialledSocket.terminate();
    await expect(bytesOf(answer.body)).rejects.toMatchObject({
      code: "closed",
      message: "the connection ended (1006)",
    });
    await source.cancelled;
    expect(reason?.code).toBe("closed");
    await expect(dialled.request({})).rejects.toMatchObject({ code: "closed", sent: false });
  });

  it("closes the socket with its reason when an end closes", async () => {
    const { accepted, dialledSocket } = await connected(async () => ok(null));
    const gone = once(dialledSocket, "close") as Promise<[number, Buffer]>;
    accepted.close(`shutting down: ${"größe ".repeat(50)}`);
    const [code, reason] = await gone;
    expect(code).toBe(1000);
    expect(reason.toString()).toMatch(/^shutting down: gr\?\?e|^shutting down: gr\?/);
  });

  it("is cut off for text and for garbage", async () => {
    for (const garbage of ["hello", Buffer.from([0, 0, 0, 9, 99])]) {
      let reason: LinkError | undefined;
      const { dialledSocket } = await connected(
        async () => ok(null),
        (error) => {
          reason = error;
        },
      );
      const gone = once(dialledSocket, "close");
      dialledSocket.send(garbage);
      await gone;
      expect(reason?.message).toMatch(/the other end of the link sent/);
    }
  });

  it("is cut when the other end goes silent, and not while it only has nothing to say", async () => {
    // Only the heartbeat's timer is ours to move: the sockets and their answers are real.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    let reason: LinkError | undefined;
    const { acceptedSocket, dialledSocket } = await connected(
      async () => ok(null),
      (error) => {
        reason = error;
      },
    );
    for (let i = 0; i < 10; i++) {
      const pong = once(acceptedSocket, "pong");
      vi.advanceTimersByTime(5_000);
      await pong;
    }
    expect(reason).toBeUndefined();
    dialledSocket.pause();
    const gone = once(acceptedSocket, "close");
    vi.advanceTimersByTime(20_000);
    await gone;
    expect(reason?.message).toBe("nothing came over the link for 15 s");
  });
});
