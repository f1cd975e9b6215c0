import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { wholeOf } from "../../src/link/flows.ts";
import type { Runtime } from "../support/control-planes.ts";
import { LinkStage } from "../support/link-stage.ts";
import { json, notHere } from "../support/played-host.ts";
import { until } from "../support/processes.ts";

const MIB = 1024 * 1024;
const LARGE_BYTES = 20 * MIB;
/** What sockets and windows on the way may hold of a body that nobody reads. */
const HELD_BYTES_MAX = 24 * MIB;

/** Requests and logs that go through a host's link, whatever the control plane runs on. */
export function hostStreamsContract(runtime: Runtime): void {
  describe(`streams through a host's link: ${runtime}`, () => {
    let stage: LinkStage;
    beforeAll(async () => {
      stage = await LinkStage.start(runtime);
    });
    afterEach(() => stage.clear());
    afterAll(() => stage?.dispose());

    test("a request and its answer arrive as they are", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      host.answering = async (open, body) =>
        json(418, { method: open.method, path: open.path, body: new TextDecoder().decode(await wholeOf(body, MIB)) });
      const answer = await stage.fetch(service, "/v1/chat?x=%C3%A9", { method: "PUT", body: "grüße" });
      expect(answer.status).toBe(418);
      expect(await answer.json()).toEqual({ method: "PUT", path: "/v1/chat?x=%C3%A9", body: "grüße" });
    });

    test("bodies of every size arrive byte for byte, however each is carried", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      host.answering = async (_open, body) => ({
        head: { status: 200, headers: [] },
        body: await wholeOf(body, MIB),
      });
      for (const size of [4, 16 * 1024, 16 * 1024 + 4, 64 * 1024, 64 * 1024 + 4]) {
        const bytes = patterned(size);
        const answer = await stage.fetch(service, "/v1/echo", { method: "POST", body: bytes });
        expect(Buffer.from(await answer.arrayBuffer()).equals(bytes), `${size} bytes`).toBe(true);
      }
    });

    test.each([
      ["in one piece", (bytes: Uint8Array) => bytes],
      ["in pieces", (bytes: Uint8Array) => pieces(bytes)],
    ])("an answer that is compressed, %s, arrives as its replica wrote it", async (_how, sent) => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const bytes = gzipSync("grüße");
      const headers: [string, string][] = [
        ["content-encoding", "gzip"],
        ["content-length", String(bytes.byteLength)],
      ];
      host.answering = async () => ({ head: { status: 200, headers }, body: sent(bytes) });
      const answer = await stage.fetch(service, "/v1/models");
      expect(await answer.text()).toBe("grüße");
      expect(answer.headers.get("content-encoding")).toBe("gzip");
    });

    test("an answer in one piece has the length that it has, whatever its head says", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      for (const length of ["2", "500"]) {
        host.answering = async () => ({
          head: { status: 200, headers: [["content-length", length]] },
          body: new TextEncoder().encode("grüße"),
        });
        const answer = await stage.fetch(service, "/v1/models");
        expect([answer.headers.get("content-length"), await answer.text()]).toEqual(["7", "grüße"]);
      }
    });

    test("bodies of 20 MiB pass whole, both ways", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const bytes = patterned(LARGE_BYTES);
      host.answering = async (_open, body) => ({
        head: { status: 200, headers: [] },
        body: pieces(await wholeOf(body, LARGE_BYTES)),
      });
      const answer = await stage.fetch(service, "/v1/echo", { method: "POST", body: pieces(bytes), duplex: "half" });
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    });

    test("a piece arrives before the next is written", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      let write: (text: string | null) => void = () => {};
      host.answering = async () => ({
        head: { status: 200, headers: [["content-type", "text/event-stream"]] },
        body: new ReadableStream<Uint8Array>({
          start(controller) {
            write = (text) => (text === null ? controller.close() : controller.enqueue(new TextEncoder().encode(text)));
          },
        }),
      });
      const answer = await stage.fetch(service, "/v1/stream");
      const reader = readerOf(answer);
      for (const word of ["one ", "two ", "three "]) {
        write(word);
        expect(new TextDecoder().decode((await reader.read()).value)).toBe(word);
      }
      write(null);
      expect((await reader.read()).done).toBe(true);
    });

    test.each(["is full of words", "is silent"])(
      "a client that leaves an answer which %s ends it at its host",
      async (how) => {
        const host = await stage.here();
        const service = await stage.serve(host);
        let left = false;
        host.answering = async (_open, _body, signal) => {
          signal.addEventListener("abort", () => {
            left = true;
          });
          const silent = new ReadableStream<Uint8Array>({ start: (body) => body.enqueue(new Uint8Array(1)) });
          return { head: { status: 200, headers: [] }, body: how === "is silent" ? silent : endless().stream };
        };
        const client = stage.leaver(service, "/v1/stream");
        await client.answered;
        client.leave();
        await until(
          () => left,
          () => "the host goes on",
        );
      },
    );

    test("a client that leaves before it is answered ends the request at its host", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      let [asked, left] = [false, false];
      host.answering = (_open, _body, signal) => {
        asked = true;
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            left = true;
            reject(signal.reason);
          });
        });
      };
      const client = stage.leaver(service, "/v1/stream");
      await until(
        () => asked,
        () => "the host is not asked",
      );
      client.leave();
      await until(
        () => left,
        () => "the host goes on",
      );
    });

    test("a client that does not read stops its host, and nobody else", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const { stream, written } = endless();
      host.answering = async (open) =>
        open.path === "/v1/slow" ? { head: { status: 200, headers: [] }, body: stream } : json(200, {});
      const client = new AbortController();
      const answer = await stage.fetch(service, "/v1/slow", { signal: client.signal });
      expect(answer.status).toBe(200);
      let [last, still] = [-1, 0];
      await until(
        () => {
          still = written() === last ? still + 1 : 0;
          last = written();
          return still >= 10;
        },
        () => `the host has written ${written()} bytes and goes on`,
      );
      expect(written()).toBeLessThan(HELD_BYTES_MAX);
      expect((await stage.fetch(service, "/v1/models")).status).toBe(200);
      expect(await host.sync()).toMatchObject({ status: 200 });
      client.abort();
    });

    test("what a host does not run goes to the next, and the client sees nothing of it", async () => {
      const hosts = [await stage.here(), await stage.here()] as const;
      const service = await stage.serve(...hosts);
      let refused = 0;
      hosts[0].answering = async () => {
        refused += 1;
        return notHere();
      };
      const answered: unknown[] = [];
      for (let i = 0; i < 8; i += 1) {
        const body = `{"n":${i}}`;
        answered.push(await (await stage.fetch(service, "/v1/chat", { method: "POST", body })).json());
      }
      expect(answered).toMatchObject(Array(8).fill({ host: hosts[1].name }));
      expect(refused).toBeGreaterThan(0);
    });

    test("a replica's own errors are passed on, and a host that fails is told of", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      host.answering = async () => json(500, { error: "out of memory" });
      const own = await stage.fetch(service, "/v1/models");
      expect([own.status, await own.json()]).toEqual([500, { error: "out of memory" }]);
      host.answering = () => Promise.reject(new Error("the engine hung up"));
      const failed = await stage.fetch(service, "/v1/models");
      expect(failed.status).toBe(502);
      expect(await failed.text()).toContain("the engine hung up");
    });

    test("an answer that breaks off is a broken connection, not a complete one", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const { stream, fail } = endless();
      host.answering = async () => ({ head: { status: 200, headers: [] }, body: stream });
      const answer = await stage.fetch(service, "/v1/stream");
      const reader = readerOf(answer);
      await reader.read();
      fail();
      await expect(toTheEnd(reader)).rejects.toThrow();
    });

    test("logs are read, and followed until the reader leaves", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const line = (replica: string, text: string) =>
        new TextEncoder().encode(`${JSON.stringify({ replica, ageMs: 0, attempt: 1, text })}\n`);
      let follower: { write(text: string): void; left: boolean } | null = null;
      host.logging = ({ replica, follow, tailLines }, signal) => ({
        head: { status: 200, headers: [] },
        body: new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(line(replica, `one of ${tailLines}`));
            if (!follow) return controller.close();
            const own = { write: (text: string) => controller.enqueue(line(replica, text)), left: false };
            follower = own;
            signal.addEventListener("abort", () => {
              own.left = true;
            });
          },
        }),
      });
      const read: string[] = [];
      for await (const { text } of stage.client.logs(service, { tail: 7 })) read.push(text);
      expect(read).toEqual(["one of 7"]);
      const followed: string[] = [];
      for await (const { text } of stage.client.logs(service, { tail: 1, follow: true })) {
        followed.push(text);
        if (followed.length === 3) break;
        follower!.write(`line ${followed.length}`);
      }
      expect(followed).toEqual(["one of 1", "line 1", "line 2"]);
      await until(
        () => {
          // See `leaver`: nothing is written otherwise into a connection that was closed.
          if (runtime === "workerd" && !follower!.left) follower!.write("another line");
          return follower!.left;
        },
        () => "the host goes on writing",
      );
    });

    test("commits are followed as they are made", async () => {
      const after = await stage.version();
      const left = new AbortController();
      const seen: number[] = [];
      const service = await stage.apply();
      for await (const commit of stage.client.follow({ after, signal: left.signal })) {
        seen.push(commit.version);
        if (seen.length === 3) break;
        await stage.apply(seen.length + 1, service);
      }
      left.abort();
      expect(seen).toEqual([after + 1, after + 2, after + 3]);
    });
  });
}

function readerOf(answer: Response): ReadableStreamDefaultReader<Uint8Array> {
  if (answer.body === null) throw new Error("the answer has no body");
  return answer.body.getReader();
}

async function toTheEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

/** Bytes that differ, so that a piece which is lost or comes twice shows. */
function patterned(length: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 4) bytes.writeUInt32LE(i, i);
  return bytes;
}

function pieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + 50_000));
      at += 50_000;
    },
  });
}

/** A body that never ends by itself and is written only as fast as it is taken. */
function endless(): { stream: ReadableStream<Uint8Array>; written(): number; fail(): void } {
  let written = 0;
  let fail = () => {};
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      fail = () => controller.error(new Error("the engine is gone"));
    },
    async pull(controller) {
      // A turn of its own for each piece: whoever writes without a pause lets nothing else happen.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        controller.enqueue(new Uint8Array(16_384));
      } catch {
        // It was failed, or is not wanted any more.
        return;
      }
      written += 16_384;
    },
  });
  return { stream, written: () => written, fail: () => fail() };
}
