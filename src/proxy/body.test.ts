import { describe, expect, it } from "vitest";
import { flowOf } from "../link/flows.ts";
import { bytesOf, pattern, pieces } from "../link/testing.ts";
import { KeptBodies, takeBody } from "./body.ts";
import { KEPT_BODIES_BYTES_MAX } from "./limits.ts";

/** A body that comes in pieces. */
const flowing = (bytes: Uint8Array) => flowOf(pieces(bytes, 100_000).body);

describe("kept bodies", () => {
  it("are passed on unkept once all of them take what they may", async () => {
    const kept = new KeptBodies();
    expect(kept.reserve(KEPT_BODIES_BYTES_MAX - 99)).toBe(true);
    const bytes = pattern(100);
    for (const length of [null, 100]) {
      const { body, reservedBytes } = await takeBody(flowing(bytes), length, kept, () => undefined);
      expect(reservedBytes).toBe(0);
      if (body.kind !== "stream") throw new Error(`expected a stream, got ${body.kind}`);
      expect(await bytesOf(body.flow)).toEqual(bytes);
    }
  });

  it("reserve what they take, and give it back when they prove too large or break", async () => {
    const kept = new KeptBodies();
    const sound = await takeBody(flowing(pattern(100)), 100, kept, () => undefined);
    expect(sound.reservedBytes).toBe(100);
    kept.release(sound.reservedBytes);
    const large = await takeBody(flowing(pattern(2_000_000)), null, kept, () => undefined);
    expect(large).toMatchObject({ reservedBytes: 0, body: { kind: "stream" } });
    const broken = new ReadableStream({ pull: () => Promise.reject(new Error("the client went away")) });
    await expect(takeBody(flowOf(broken), null, kept, () => undefined)).rejects.toThrow("the client went away");
    expect(kept.reserve(KEPT_BODIES_BYTES_MAX)).toBe(true);
  });

  it("stop reading a large body when nobody wants it", async () => {
    const source = pieces(pattern(2_000_000), 100_000);
    const { body } = await takeBody(flowOf(source.body), null, new KeptBodies(), () => undefined);
    if (body.kind !== "stream") throw new Error(`expected a stream, got ${body.kind}`);
    body.flow.cancel("enough");
    expect(source.state.cancelled).not.toBeNull();
  });
});
