import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { LinkError } from "./errors.ts";
import { streamOf } from "./flows.ts";
import { decodeMessage, type Frame } from "./frames.ts";
import { DATA_BYTES_MAX, UNSENT_BYTES_SOFT, WHOLE_BODY_BYTES_MAX, WINDOW_BYTES } from "./limits.ts";
import { Link } from "./link.ts";
import { linkPipe } from "./pipe.ts";
import { bytesOf, fed, messageOf, pattern, pieces, settled, text, textOf, until } from "./testing.ts";
import type { LinkAnswer, LinkBody, LinkHandler } from "./types.ts";

const ok = (body: LinkBody): LinkAnswer => ({ head: { status: 200, headers: [["x-a", "b"]] }, body });

const echo: LinkHandler = async (_open, body) => ok(body);

describe("a request over a link", () => {
  it("carries what opens it, a small body whole, and the answer", async () => {
    let seen: unknown;
    const { accepted } = linkPipe({
      dialled: async (open, body) => {
        seen = open;
        expect(body).toBeInstanceOf(Uint8Array);
        return ok(body);
      },
    });
    const answer = await accepted.request({ kind: "http", n: 1 }, text("hello"));
    expect(seen).toEqual({ kind: "http", n: 1 });
    expect(answer.head).toEqual({ status: 200, headers: [["x-a", "b"]] });
    expect(answer.body).toEqual(text("hello"));
    expect(accepted.openStreams).toBe(0);
  });

  it("tells no body from an empty one", async () => {
    const { accepted } = linkPipe({ dialled: echo });
    expect((await accepted.request({})).body).toBeNull();
    expect((await accepted.request({}, new Uint8Array(0))).body).toEqual(new Uint8Array(0));
  });

  it("goes both ways at the same time", async () => {
    const { dialled, accepted } = linkPipe({ dialled: echo, accepted: async () => ok(text("from control")) });
    const [there, back] = await Promise.all([accepted.request(1, text("x")), dialled.request(2)]);
    expect(await textOf(there.body)).toBe("x");
    expect(await textOf(back.body)).toBe("from control");
  });

  it.each([0, 1, WHOLE_BODY_BYTES_MAX, WHOLE_BODY_BYTES_MAX + 1, WINDOW_BYTES * 5 + 3])(
    "carries %i bytes there and back, whole and in pieces",
    async (size) => {
      const { accepted, dialled } = linkPipe({ dialled: echo });
      const bytes = pattern(size);
      const whole = await accepted.request({}, bytes);
      const streamed = await accepted.request({}, pieces(bytes, 50_000).body);
      // Compared by hand: a matcher walks a megabyte byte by byte.
      expect(Buffer.compare(await bytesOf(whole.body), bytes)).toBe(0);
      expect(Buffer.compare(await bytesOf(streamed.body), bytes)).toBe(0);
      await until(() => accepted.openStreams === 0 && dialled.openStreams === 0);
    },
  );

  it("hands each piece of an answer over before the next is made", async () => {
    const source = fed();
    const { accepted } = linkPipe({ dialled: async () => ok(source.body) });
    const answer = await accepted.request({});
    const reader = streamOf(answer.body).getReader();
    for (const token of ["one", "two", "three"]) {
      source.give(token);
      expect(new TextDecoder().decode((await reader.read()).value)).toBe(token);
    }
    source.controller.close();
    expect((await reader.read()).done).toBe(true);
  });

  it("stops the sender after a window while the consumer does not read, and lets other streams through", async () => {
    const slow = pieces(pattern(WINDOW_BYTES * 8), 8 * 1024);
    const { accepted } = linkPipe({ dialled: async (open) => ok(open === "slow" ? slow.body : text("quick")) });
    const answer = await accepted.request("slow");
    await settled();
    expect(slow.state.takenBytes).toBeLessThanOrEqual(WINDOW_BYTES + 8 * 1024);
    expect(await textOf((await accepted.request("quick")).body)).toBe("quick");
    expect((await bytesOf(answer.body)).byteLength).toBe(WINDOW_BYTES * 8);
  });

  it("stops the uploader after a window while the handler does not read", async () => {
    const upload = pieces(pattern(WINDOW_BYTES * 8), 8 * 1024);
    const gate = Promise.withResolvers<void>();
    const { accepted } = linkPipe({
      dialled: async (_open, body) => {
        await gate.promise;
        return ok(text(String((await bytesOf(body)).byteLength)));
      },
    });
    const answer = accepted.request({}, upload.body);
    await settled();
    expect(upload.state.takenBytes).toBeLessThanOrEqual(WINDOW_BYTES + 8 * 1024);
    gate.resolve();
    expect(await textOf((await answer).body)).toBe(String(WINDOW_BYTES * 8));
  });

  it("ends an upload whose answer is complete before it", async () => {
    const upload = pieces(pattern(WINDOW_BYTES * 8), 8 * 1024);
    const { accepted, dialled } = linkPipe({ dialled: async () => ok(text("too large")) });
    const answer = await accepted.request({}, upload.body);
    expect(await textOf(answer.body)).toBe("too large");
    await until(() => upload.state.cancelled !== null);
    expect([accepted.openStreams, dialled.openStreams]).toEqual([0, 0]);
  });
});

describe("cancelling", () => {
  it("reaches a handler that has not answered", async () => {
    const aborted = Promise.withResolvers<void>();
    const { accepted, dialled } = linkPipe({
      dialled: (_open, _body, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted.resolve();
            reject(signal.reason);
          });
        }),
    });
    const controller = new AbortController();
    const answer = accepted.request({}, null, controller.signal);
    await until(() => dialled.openStreams === 1);
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: "aborted", sent: true });
    await aborted.promise;
    await until(() => dialled.openStreams === 0);
  });

  it("reaches a handler that streams, through the signal and through the body", async () => {
    for (const how of ["signal", "body"] as const) {
      const source = fed();
      let seen: AbortSignal | undefined;
      const { accepted } = linkPipe({
        dialled: async (_open, _body, signal) => {
          seen = signal;
          return ok(source.body);
        },
      });
      const controller = new AbortController();
      const answer = await accepted.request({}, null, controller.signal);
      if (how === "signal") {
        controller.abort();
        await expect(bytesOf(answer.body)).rejects.toMatchObject({ code: "aborted" });
      } else await streamOf(answer.body).cancel();
      expect(await source.cancelled).toBeInstanceOf(LinkError);
      expect(seen?.aborted).toBe(true);
    }
  });

  it("cancels an answer that comes too late", async () => {
    const source = fed();
    const gate = Promise.withResolvers<void>();
    const { accepted, dialled } = linkPipe({
      dialled: async () => {
        await gate.promise;
        return ok(source.body);
      },
    });
    const controller = new AbortController();
    const answer = accepted.request({}, null, controller.signal);
    await until(() => dialled.openStreams === 1);
    controller.abort();
    await expect(answer).rejects.toThrow(LinkError);
    await until(() => dialled.openStreams === 0);
    gate.resolve();
    await source.cancelled;
  });

  it("after the end has nothing to do, and the caller's signal is let go", async () => {
    const { accepted } = linkPipe({ dialled: echo });
    const { signal } = new AbortController();
    for (const body of [text("whole"), pieces(pattern(10), 5).body]) {
      await bytesOf((await accepted.request({}, body, signal)).body);
    }
    await until(() => accepted.openStreams === 0);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("before sending leaves the body alone", async () => {
    const { accepted } = linkPipe({ dialled: echo });
    const upload = pieces(pattern(10), 5);
    await expect(accepted.request({}, upload.body, AbortSignal.abort())).rejects.toMatchObject({ sent: false });
    expect(upload.body.locked).toBe(false);
  });

  it("in the middle of a flood drops what was on its way and harms no other stream", async () => {
    const { accepted, dialled } = linkPipe({
      dialled: async (open) => ok(open === "flood" ? pieces(pattern(WINDOW_BYTES * 4), 1_000).body : text("fine")),
    });
    const floods = await Promise.all(Array.from({ length: 20 }, () => accepted.request("flood")));
    await Promise.all(floods.map((answer) => streamOf(answer.body).cancel()));
    expect(await textOf((await accepted.request("other")).body)).toBe("fine");
    await until(() => dialled.openStreams === 0);
  });
});

describe("failures", () => {
  it("of a handler reach the other end as a message", async () => {
    const { accepted } = linkPipe({ dialled: () => Promise.reject(new Error("replica r1 refused the connection")) });
    await expect(accepted.request({})).rejects.toMatchObject({
      code: "reset",
      message: "replica r1 refused the connection",
    });
  });

  it("of a handler that throws at once too", async () => {
    const { accepted } = linkPipe({
      dialled: () => {
        throw new Error("at once");
      },
    });
    await expect(accepted.request({})).rejects.toThrow("at once");
  });

  it("of an answer's body break it at the reader", async () => {
    const source = fed();
    const { accepted } = linkPipe({ dialled: async () => ok(source.body) });
    const answer = await accepted.request({});
    source.controller.error(new Error("the engine died"));
    await expect(bytesOf(answer.body)).rejects.toMatchObject({ code: "reset", message: "the engine died" });
  });

  it("of a request's body reset the request", async () => {
    const source = fed();
    const { accepted, dialled } = linkPipe({ dialled: async (_open, body) => ok(await bytesOf(body)) });
    const answer = accepted.request({}, source.body);
    source.controller.error(new Error("the client went away"));
    await expect(answer).rejects.toThrow("the client went away");
    await until(() => dialled.openStreams === 0);
  });

  it("of the link end everything at both ends", async () => {
    const source = fed();
    const signals: AbortSignal[] = [];
    const { accepted, dialled } = linkPipe({
      dialled: async (open, _body, signal) => {
        signals.push(signal);
        return open === "hang" ? new Promise<LinkAnswer>(() => undefined) : ok(source.body);
      },
    });
    const answer = await accepted.request("stream");
    const hanging = accepted.request("hang");
    await until(() => signals.length === 2);
    accepted.close("shutting down");
    await expect(hanging).rejects.toMatchObject({ code: "closed", message: "shutting down", sent: true });
    await expect(bytesOf(answer.body)).rejects.toThrow("shutting down");
    await expect(accepted.request({})).rejects.toMatchObject({ code: "closed", sent: false });
    await until(() => signals.every((signal) => signal.aborted));
    await source.cancelled;
    expect([accepted.openStreams, dialled.openStreams]).toEqual([0, 0]);
  });

  it("of an upload leave its answer readable when that is here in full", async () => {
    const upload = pieces(pattern(WINDOW_BYTES * 8), 8 * 1024);
    const { accepted } = linkPipe({ dialled: async () => ok(pieces(pattern(1_000), 100).body) });
    const answer = await accepted.request({}, upload.body);
    await until(() => accepted.openStreams === 0);
    expect((await bytesOf(answer.body)).byteLength).toBe(1_000);
  });

  it("leave an answer readable that was here in full", async () => {
    const { accepted, dialled } = linkPipe({ dialled: async () => ok(pieces(pattern(1_000), 100).body) });
    const answer = await accepted.request({});
    await until(() => accepted.openStreams === 0);
    dialled.close("gone");
    await settled(3);
    expect((await bytesOf(answer.body)).byteLength).toBe(1_000);
  });
});

describe("bounds", () => {
  it("of the window hold for a stream that this end has given up", async () => {
    let reason: LinkError | undefined;
    const link = new Link({
      side: "accepted",
      handler: echo,
      send: () => undefined,
      closed: (error) => {
        reason = error;
      },
    });
    const controller = new AbortController();
    const answer = link.request({}, null, controller.signal);
    controller.abort();
    await expect(answer).rejects.toMatchObject({ code: "aborted" });
    const data: Frame = { type: "data", stream: 2, bytes: new Uint8Array(DATA_BYTES_MAX) };
    const late = (count: number) => messageOf(...new Array<Frame>(count).fill(data));
    link.receive(late(WINDOW_BYTES / DATA_BYTES_MAX));
    expect(reason).toBeUndefined();
    link.receive(late(1));
    expect(reason?.message).toContain("more than its window");
  });

  it("do not let one piece that waits hold the whole message it came in", async () => {
    const link = new Link({ side: "accepted", handler: echo, send: () => undefined });
    const asked = link.request({});
    const head: Frame = { type: "head", stream: 2, head: { status: 200, headers: [] }, body: "stream" };
    link.receive(messageOf(head, { type: "data", stream: 2, bytes: text("small") }));
    const reader = streamOf((await asked).body).getReader();
    expect((await reader.read()).value?.buffer.byteLength).toBe(5);
    link.close("done");
  });

  it("let streams that wait for the socket go on in turns", async () => {
    let buffered = UNSENT_BYTES_SOFT;
    const order: number[] = [];
    const link = new Link({
      side: "dialled",
      handler: echo,
      send: (message) => {
        for (const { type, stream } of decodeMessage(message)) if (type === "data") order.push(stream);
        // The socket takes one piece at a time.
        buffered = UNSENT_BYTES_SOFT;
      },
      buffered: () => buffered,
      later: setImmediate,
    });
    const bodies = [1, 2, 3].map(() => pieces(pattern(DATA_BYTES_MAX * 3), DATA_BYTES_MAX).body);
    for (const body of bodies) link.request({}, body).catch(() => undefined);
    await settled(3);
    // One that comes when there is room again does not overtake those that wait.
    buffered = UNSENT_BYTES_SOFT - 10_000;
    link.request({}, pieces(pattern(DATA_BYTES_MAX), DATA_BYTES_MAX).body).catch(() => undefined);
    await settled(3);
    for (let i = 0; i < 8; i++) {
      buffered = UNSENT_BYTES_SOFT - 1;
      link.drained();
      await settled(3);
    }
    expect(order).toEqual([1, 3, 5, 7, 1, 3, 5, 1]);
    link.close("done");
  });

  it("hold without a socket that tells what it holds: a turn sends what fits, the next the rest", async () => {
    const { accepted } = linkPipe({ dialled: echo });
    const bodies = Array.from({ length: 20 }, (_, i) => pattern(WINDOW_BYTES, i));
    const answers = await Promise.all(bodies.map((body) => accepted.request({}, body)));
    const back = await Promise.all(answers.map((answer) => bytesOf(answer.body)));
    expect(back.every((body, i) => Buffer.compare(body, bodies[i]!) === 0)).toBe(true);
  });

  it("refuse one stream too many here, and leave its body alone", async () => {
    const gate = Promise.withResolvers<LinkAnswer>();
    const { accepted } = linkPipe({ dialled: () => gate.promise, openStreamsMax: 2 });
    const first = [accepted.request(1), accepted.request(2)];
    const upload = pieces(pattern(10), 5);
    await expect(accepted.request(3, upload.body)).rejects.toMatchObject({ code: "busy", sent: false });
    expect(upload.body.locked).toBe(false);
    gate.resolve(ok(null));
    await Promise.all(first);
    await expect(accepted.request(4)).resolves.toMatchObject({ body: null });
  });

  it("count a cancelled stream until the other end has confirmed it", async () => {
    const held: (() => void)[] = [];
    let hold = false;
    const { accepted } = linkPipe({
      dialled: () => new Promise(() => undefined),
      openStreamsMax: 1,
      carry: (deliver) => (hold ? held.push(deliver) : setTimeout(deliver, 0)),
    });
    const controller = new AbortController();
    const first = accepted.request(1, null, controller.signal);
    await settled(3);
    hold = true;
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: "aborted" });
    await expect(accepted.request(2)).rejects.toMatchObject({ code: "busy" });
    hold = false;
    await until(() => held.length > 0);
    for (const deliver of held) deliver();
    await settled(3);
    const second = accepted.request(3);
    accepted.close("done");
    await expect(second).rejects.toMatchObject({ code: "closed", sent: true });
  });

  it("hold bodies back while the socket does not drain, and let them go on when it does", async () => {
    let buffered = UNSENT_BYTES_SOFT;
    const sent: number[] = [];
    const link = new Link({
      side: "accepted",
      handler: echo,
      send: (message) => sent.push(message.byteLength),
      buffered: () => buffered,
    });
    const upload = pieces(pattern(DATA_BYTES_MAX * 2), DATA_BYTES_MAX);
    void link.request({}, upload.body).catch(() => undefined);
    await settled();
    expect(sent.length).toBe(1);
    expect(upload.state.takenBytes).toBe(DATA_BYTES_MAX);
    buffered = 0;
    link.drained();
    await until(() => upload.state.takenBytes === DATA_BYTES_MAX * 2);
    await settled(3);
    expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(DATA_BYTES_MAX * 2);
    link.close("done");
  });

  it("never send data of a stream after its reset, also when it waited for the socket", async () => {
    let buffered = UNSENT_BYTES_SOFT;
    const types: string[] = [];
    const link = new Link({
      side: "accepted",
      handler: echo,
      send: (message) => types.push(...decodeMessage(message).map(({ type }) => type)),
      buffered: () => buffered,
    });
    const controller = new AbortController();
    const answer = link.request({}, pieces(pattern(1_000), 100).body, controller.signal);
    await settled(3);
    controller.abort();
    await expect(answer).rejects.toThrow(LinkError);
    buffered = 0;
    link.drained();
    await settled(3);
    expect(types).toEqual(["open", "reset"]);
  });

  // A reset can arrive between a body's last piece and its end: at any step of the promises in between.
  it.each(Array.from({ length: 12 }, (_, steps) => steps))(
    "send nothing of a stream after its reset was confirmed, when that came %i steps into the answer",
    async (steps) => {
      const sent: string[] = [];
      const link = new Link({
        side: "accepted",
        handler: async () => ok(pattern(WHOLE_BODY_BYTES_MAX + 1)),
        send: (message) => sent.push(...decodeMessage(message).map(({ type }) => type)),
      });
      const receive = (frame: Frame) => link.receive(messageOf(frame));
      receive({ type: "open", stream: 1, head: {}, body: null });
      for (let i = 0; i < steps; i++) await Promise.resolve();
      const ended = sent.includes("end");
      receive({ type: "reset", stream: 1, reason: "enough" });
      await settled(3);
      expect(sent.slice(sent.indexOf("reset") + 1)).toEqual([]);
      expect(sent).toContain(ended ? "end" : "reset");
      link.close("done");
    },
  );

  it("cut off an end that does not read at all", async () => {
    let reason: LinkError | undefined;
    const link = new Link({
      side: "accepted",
      handler: echo,
      send: () => undefined,
      buffered: () => 17 * 1024 * 1024,
      closed: (error) => {
        reason = error;
      },
    });
    await expect(link.request({})).rejects.toThrow("does not read what it is sent");
    expect(reason?.code).toBe("closed");
  });
});

describe("a peer that breaks the rules is cut off", () => {
  const open = (stream: number, body: "stream" | null = null): Frame => ({ type: "open", stream, head: {}, body });
  const data = (stream: number, size = DATA_BYTES_MAX): Frame => ({
    type: "data",
    stream,
    bytes: new Uint8Array(size).fill(1),
  });
  const head = (stream: number): Frame => ({ type: "head", stream, head: { status: 200, headers: [] }, body: null });
  const never: LinkHandler = () => new Promise(() => undefined);

  const breaches: [string, Frame[]][] = [
    ["opens with an id of ours", [open(2)]],
    ["opens an id twice", [open(1), open(1)]],
    ["opens an older id", [open(5), open(3)]],
    ["sends data to a stream that never was", [data(1)]],
    ["resets a stream that never was", [{ type: "reset", stream: 4, reason: "" }]],
    ["credits a stream that never was", [{ type: "credit", stream: 4, bytes: 1 }]],
    ["sends data where it said there was no body", [open(1), data(1)]],
    ["sends data after the end", [open(1, "stream"), { type: "end", stream: 1 }, data(1)]],
    ["ends twice", [open(1, "stream"), { type: "end", stream: 1 }, { type: "end", stream: 1 }]],
    ["answers its own request", [open(1), head(1)]],
    ["overruns the window", [open(1, "stream"), data(1), data(1), data(1), data(1), data(1, 1)]],
    [
      "overruns the window with many small frames",
      [open(1, "stream"), ...Array.from({ length: 4_097 }, () => data(1, 1))],
    ],
    ["grants more than was used", [open(1), { type: "credit", stream: 1, bytes: 1 }]],
    ["opens on and on although refused", Array.from({ length: 9 }, (_, i) => open(1 + 2 * i))],
  ];
  it.each(breaches)("when it %s", (_what, frames) => {
    let reason: LinkError | undefined;
    const link = new Link({
      side: "accepted",
      handler: never,
      send: () => undefined,
      openStreamsMax: 4,
      closed: (error) => {
        reason = error;
      },
    });
    link.receive(messageOf(...frames));
    expect(reason?.code).toBe("protocol");
    expect(link.openStreams).toBe(0);
  });

  it("when it answers with a head that is not one", async () => {
    const { accepted } = linkPipe({
      dialled: async () => ({ head: { status: 9 }, body: null }) as unknown as LinkAnswer,
    });
    await expect(accepted.request({})).rejects.toMatchObject({ code: "protocol" });
  });

  it("but not when it stays within every bound", () => {
    const link = new Link({ side: "accepted", handler: never, send: () => undefined, openStreamsMax: 4 });
    const pieces = [data(1), data(1), data(1), data(1)];
    link.receive(messageOf(open(1, "stream"), ...pieces, open(3), open(7), open(9), open(11)));
    // The fifth was refused by a reset.
    expect(link.openStreams).toBe(4);
  });
});
