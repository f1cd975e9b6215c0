import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkError } from "./errors.ts";
import { flowOf, streamOf } from "./flows.ts";
import { decodeMessage, type Frame } from "./frames.ts";
import { DATA_BYTES_MAX, dataCost, WINDOW_BYTES } from "./limits.ts";
import { Link } from "./link.ts";
import { messageOf, pattern, pieces } from "./testing.ts";
import type { LinkBody, LinkHandler } from "./types.ts";

/** One request of a plan: what is sent each way, in what pieces, how it is read, and who gives up when. */
interface Plan {
  from: "dialled" | "accepted";
  upBytes: number;
  downBytes: number;
  pieceBytes: number;
  whole: boolean;
  /** The reader lets this many turns pass before each read. */
  slowTurns: number;
  /** `none`: runs to its end. Else who gives up, once this much of what it reads has come. */
  givesUp: "none" | "caller" | "handler" | "source";
  afterBytes: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  from: fc.constantFrom("dialled" as const, "accepted" as const),
  upBytes: fc.oneof(fc.nat(300), fc.nat(3 * WINDOW_BYTES)),
  downBytes: fc.oneof(fc.nat(300), fc.nat(3 * WINDOW_BYTES)),
  pieceBytes: fc.integer({ min: 1_000, max: 200_000 }),
  whole: fc.boolean(),
  slowTurns: fc.nat(3),
  givesUp: fc.oneof(
    { weight: 3, arbitrary: fc.constant("none" as const) },
    { weight: 1, arbitrary: fc.constantFrom("caller" as const, "handler" as const, "source" as const) },
  ),
  afterBytes: fc.nat(WINDOW_BYTES),
});

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function bodyOf({ whole, pieceBytes, givesUp, afterBytes }: Plan, bytes: Uint8Array, mayFail: boolean): LinkBody {
  if (whole) return bytes;
  const { body } = pieces(bytes, pieceBytes);
  if (!mayFail || givesUp !== "source") return body;
  let seen = 0;
  return body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        seen += chunk.byteLength;
        if (seen > afterBytes) controller.error(new Error("the source gave up"));
        else controller.enqueue(chunk);
      },
    }),
  );
}

/** Reads a body at the plan's pace. @returns what came, and whether that was all. */
async function read(body: LinkBody, { slowTurns, afterBytes }: Plan, stops: boolean) {
  if (body === null) return { bytes: new Uint8Array(0), whole: true };
  if (body instanceof Uint8Array) return { bytes: body, whole: true };
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of streamOf(body instanceof ReadableStream ? flowOf(body) : body)) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (stops && size > afterBytes) return { bytes: Buffer.concat(chunks), whole: false };
    for (let i = 0; i < slowTurns; i++) await turn();
  }
  return { bytes: Buffer.concat(chunks), whole: true };
}

/** Watches one direction of a link's traffic and recounts the windows of all streams in it. */
class WindowAuditor {
  readonly #sent = new Map<number, number>();
  readonly #granted = new Map<number, number>();

  data(frames: Frame[]): void {
    for (const frame of frames) {
      if (frame.type !== "data") continue;
      const sent = (this.#sent.get(frame.stream) ?? 0) + dataCost(frame.bytes.byteLength);
      this.#sent.set(frame.stream, sent);
      expect(sent - (this.#granted.get(frame.stream) ?? 0)).toBeLessThanOrEqual(WINDOW_BYTES);
    }
  }

  credits(frames: Frame[]): void {
    for (const frame of frames) {
      if (frame.type !== "credit") continue;
      this.#granted.set(frame.stream, (this.#granted.get(frame.stream) ?? 0) + frame.bytes);
    }
  }
}

describe("any number of requests, any way interleaved", () => {
  it("carry every byte once and in order, keep to the windows, and leave nothing open", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat(3)),
        async (plans, delays) => {
          const ups = plans.map((each, i) => pattern(each.upBytes, i));
          const downs = plans.map((each, i) => pattern(each.downBytes, i + 100));

          const handler: LinkHandler = async (open, body) => {
            const index = open as number;
            const each = plans[index]!;
            const stops = each.givesUp === "handler";
            const got = await read(body, each, stops);
            if (stops) throw new Error("the handler gave up");
            if (each.givesUp !== "source") expect(Buffer.compare(got.bytes, ups[index]!)).toBe(0);
            return { head: { status: 200, headers: [] }, body: bodyOf(each, downs[index]!, true) };
          };

          // Two directions, each an in-order queue that delivers after an arbitrary number of turns.
          const breaches: LinkError[] = [];
          const auditors = { fromDialled: new WindowAuditor(), fromAccepted: new WindowAuditor() };
          const carrier = (own: WindowAuditor, others: WindowAuditor, other: () => Link) => {
            let last = Promise.resolve();
            return (message: Uint8Array) => {
              const frames = decodeMessage(message);
              own.data(frames);
              const turns = delays.next().value as number;
              last = last.then(async () => {
                for (let i = 0; i < turns; i++) await turn();
                // Credit counts once it has arrived, not when it was sent.
                others.credits(frames);
                other().receive(message);
              });
            };
          };
          const end = (side: "dialled" | "accepted", send: (message: Uint8Array) => void): Link =>
            new Link({ side, handler, send, later: setImmediate, closed: (error) => breaches.push(error) });
          const { fromDialled, fromAccepted } = auditors;
          const ends: Record<Plan["from"], Link> = {
            dialled: end(
              "dialled",
              carrier(fromDialled, fromAccepted, () => ends.accepted),
            ) as Link,
            accepted: end(
              "accepted",
              carrier(fromAccepted, fromDialled, () => ends.dialled),
            ) as Link,
          };

          await Promise.all(
            plans.map(async (each, index) => {
              try {
                const answer = await ends[each.from].request(index, bodyOf(each, ups[index]!, false));
                const stops = each.givesUp === "caller";
                const got = await read(answer.body, each, stops);
                const expected = got.whole ? downs[index]! : downs[index]!.subarray(0, got.bytes.byteLength);
                expect(Buffer.compare(got.bytes, expected)).toBe(0);
              } catch (error) {
                if (!(error instanceof LinkError)) throw error;
                // Only a request in which somebody gives up may fail, and it says what happened.
                expect(each.givesUp).not.toBe("none");
                expect(error.message).toMatch(/gave up/);
              }
            }),
          );
          while (ends.dialled.openStreams + ends.accepted.openStreams > 0) await turn();
          expect(breaches).toEqual([]);
        },
      ),
      { numRuns: 3000 },
    );
  }, 600_000);
});

describe("whatever arrives", () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  const stream = fc.oneof(fc.constantFrom(1, 2, 3, 4), fc.nat(0xffff_ffff));
  const frame: fc.Arbitrary<Frame> = fc.oneof(
    fc.record({
      type: fc.constantFrom("open" as const, "head" as const),
      stream,
      head: fc.oneof(fc.jsonValue(), fc.constant({ status: 200, headers: [] })),
      body: fc.oneof(fc.constantFrom("stream" as const, null), bytes),
    }),
    fc.record({
      type: fc.constant("data" as const),
      stream,
      bytes: fc.oneof(bytes, fc.constant(new Uint8Array(DATA_BYTES_MAX))),
    }),
    fc.record({ type: fc.constant("end" as const), stream }),
    fc.record({ type: fc.constant("reset" as const), stream, reason: fc.string() }),
    fc.record({ type: fc.constant("credit" as const), stream, bytes: fc.oneof(fc.nat(10), fc.nat(0xffff_ffff)) }),
  );
  const frames = fc.array(frame, { maxLength: 8 }).map((list) => messageOf(...list));
  /** Sound messages with bytes changed, cut or added. */
  const damaged = fc
    .tuple(frames, fc.array(fc.tuple(fc.nat(5_000), fc.nat(255)), { maxLength: 4 }), fc.nat(20))
    .map(([message, changes, cut]) => {
      const copy = message.slice(0, Math.max(0, message.byteLength - cut));
      for (const [at, value] of changes) if (copy.byteLength > 0) copy[at % copy.byteLength] = value;
      return copy;
    });

  it("never throws out of receive, and a link that is closed by it is closed for good", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(bytes, frames, damaged), { maxLength: 10 }), async (messages) => {
        let closed = 0;
        let sentAfter = 0;
        const link = new Link({
          side: "accepted",
          handler: async (_open, body) => ({ head: { status: 200, headers: [] }, body }),
          send: () => {
            if (closed > 0) sentAfter += 1;
          },
          openStreamsMax: 4,
          closed: () => {
            closed += 1;
          },
        });
        const answers = Promise.allSettled([link.request("a", pieces(pattern(500), 100).body), link.request("b")]);
        for (const message of messages) link.receive(message);
        await turn();
        link.close("the test is over");
        for (const answer of await answers) {
          if (answer.status === "rejected") expect(answer.reason).toBeInstanceOf(LinkError);
        }
        expect(closed).toBe(1);
        await turn();
        expect(sentAfter).toBe(0);
        expect(link.openStreams).toBe(0);
        await expect(link.request("c")).rejects.toMatchObject({ code: "closed" });
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});
