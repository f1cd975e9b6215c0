import { describe, expect, it } from "vitest";
import { bytesOf, pattern, pieces } from "../link/testing.ts";
import { KeptBodies, takeBody } from "./body.ts";
import { KEPT_BODIES_BYTES_MAX } from "./limits.ts";

const post = (body: BodyInit, headers: Record<string, string> = {}) =>
  new Request("http://headrace.test/", { method: "POST", body, headers, duplex: "half" } as RequestInit);

describe("kept bodies", () => {
  it("are passed on unkept once all of them take what they may", async () => {
    const kept = new KeptBodies();
    expect(kept.reserve(KEPT_BODIES_BYTES_MAX - 99)).toBe(true);
    const bytes = pattern(100);
    for (const headers of [{}, { "content-length": "100" }] as Record<string, string>[]) {
      const { body, reservedBytes } = await takeBody(post(bytes, headers), kept, () => undefined);
      expect(reservedBytes).toBe(0);
      if (body.kind !== "stream") throw new Error(`expected a stream, got ${body.kind}`);
      expect(await bytesOf(body.stream)).toEqual(bytes);
    }
  });

  it("reserve what they take, and give it back when they prove too large or break", async () => {
    const kept = new KeptBodies();
    const sound = await takeBody(post(pattern(100), { "content-length": "100" }), kept, () => undefined);
    expect(sound.reservedBytes).toBe(100);
    kept.release(sound.reservedBytes);
    const large = await takeBody(post(pieces(pattern(2_000_000), 100_000).body), kept, () => undefined);
    expect(large).toMatchObject({ reservedBytes: 0, body: { kind: "stream" } });
    const broken = new ReadableStream({ pull: () => Promise.reject(new Error("the client went away")) });
    await expect(takeBody(post(broken), kept, () => undefined)).rejects.toThrow("the client went away");
    expect(kept.reserve(KEPT_BODIES_BYTES_MAX)).toBe(true);
  });

  it("stop reading a large body when nobody wants it", async () => {
    const source = pieces(pattern(2_000_000), 100_000);
    const { body } = await takeBody(post(source.body), new KeptBodies(), () => undefined);
    if (body.kind !== "stream") throw new Error(`expected a stream, got ${body.kind}`);
    await body.stream.cancel("enough");
    expect(source.state.cancelled).not.toBeNull();
  });
});
