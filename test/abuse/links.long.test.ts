import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { flowOf } from "../../src/link/flows.ts";
import type { LinkBody } from "../../src/link/types.ts";
import { linkOverWebSocket } from "../../src/link/ws.ts";
import { until } from "../support/processes.ts";
import { INVENTORY } from "../support/reports.ts";
import { frame, HostileHost, openRest, TOO_LONG } from "./support/hostile-host.ts";
import { unnoticed } from "./support/neighbour.ts";
import { answersIn, head, RawSocket } from "./support/raw.ts";
import { BAD, GOOD, STEADY, Victim } from "./support/victim.ts";

/** What a host can do with the link it is entitled to. */

let victim: Victim;
let host: HostileHost;
beforeAll(async () => {
  victim = await Victim.start();
  await victim.startSteadyService();
  host = await HostileHost.join(victim, "hostile");
});
afterAll(() => victim.dispose());

const SYNC = '{"kind":"sync"}';
const closed = (socket: WebSocket) => new Promise<void>((resolve) => socket.once("close", () => resolve()));

/** A link that keeps the rules, for reports that do not. */
async function linked(from = host) {
  const socket = await from.socket();
  return linkOverWebSocket(socket, {
    side: "dialled",
    later: setImmediate,
    handler: async () => ({ head: { status: 204, headers: [] }, body: null }),
  });
}

async function report(link: Awaited<ReturnType<typeof linked>>, value: unknown) {
  const body = new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  const answer = await link.request({ kind: "sync" }, body);
  const text = await new Response(answer.body as Uint8Array<ArrayBuffer>).text();
  return { status: answer.head.status, text };
}

describe("frames", () => {
  const breaks: [name: string, message: Uint8Array][] = [
    ["a length beyond the message", new Uint8Array([255, 255, 255, 255, 1, 0, 0, 0, 1])],
    ["a length that ends early", new Uint8Array([0, 0])],
    ["an unknown type", frame(99, 1)],
    ["stream 0", frame(1, 0, openRest(SYNC))],
    ["a stream of the server's", frame(1, 2, openRest(SYNC))],
    ["a head that is not JSON", frame(1, 1, openRest("{"))],
    ["a frame that is too long", frame(3, 1, new Uint8Array(TOO_LONG))],
    ["data of a stream that nobody opened", frame(3, 7, new Uint8Array(10))],
    ["an answer to nothing", frame(2, 1, openRest('{"status":200,"headers":[]}'))],
    ["more credit than was used", join(frame(1, 1, openRest(SYNC, 2)), frame(6, 1, new Uint8Array([0, 4, 0, 0])))],
    ["an end twice", join(frame(1, 1, openRest(SYNC, 2)), frame(4, 1), frame(4, 1))],
    ["the same stream twice", join(frame(1, 1, openRest(SYNC, 2)), frame(1, 1, openRest(SYNC, 2)))],
  ];
  test.each(breaks)("that break the rules end the link: %s", async (_name, message) => {
    const socket = await host.socket();
    socket.send(message);
    await closed(socket);
  });

  test("text, and a message of two megabytes, end the link", async () => {
    for (const message of ["hello", new Uint8Array(2 * 1024 * 1024)]) {
      const socket = await host.socket();
      socket.send(message);
      await closed(socket);
    }
  });

  test("of any kind, in any order, end at most their own link", async () => {
    const type = fc.integer({ min: 0, max: 8 });
    const stream = fc.integer({ min: 0, max: 9 });
    const rest = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom(openRest(SYNC), openRest(SYNC, 2), openRest('{"kind":"wake"}'), openRest("null", 1)),
      fc.constant(new Uint8Array([0, 0, 1, 0])),
    );
    const frames = fc.array(fc.tuple(type, stream, rest), { minLength: 1, maxLength: 20 });
    await unnoticed(victim, async () => {
      await fc.assert(
        fc.asyncProperty(frames, async (drawn) => {
          const socket = await host.socket();
          socket.send(join(...drawn.map(([type, stream, rest]) => frame(type, stream, rest))));
          // A pong means that all before it was taken in; a close, that it was refused.
          const ponged = new Promise<void>((resolve) => socket.once("pong", () => resolve()));
          socket.ping();
          await Promise.race([ponged, closed(socket)]);
          socket.terminate();
        }),
        { numRuns: 150 },
      );
    });
  });

  test("without end, opens by the thousand among them, slow nobody else down", async () => {
    await unnoticed(victim, async () => {
      const socket = await host.socket();
      const ended = closed(socket);
      let stream = 1;
      const until = performance.now() + 2_000;
      while (performance.now() < until && socket.readyState === socket.OPEN) {
        const from = stream;
        stream += 1_000;
        const frames = Array.from({ length: 500 }, (_, i) => frame(1, from + 2 * i, openRest(SYNC, 2)));
        await new Promise<void>((resolve) => socket.send(join(...frames), () => resolve()));
      }
      socket.terminate();
      await ended;
    });
  });
});

describe("links", () => {
  test("that open and say nothing, again and again, leave one of a host", async () => {
    await unnoticed(victim, async () => {
      const before = victim.handles();
      for (let i = 0; i < 200; i++) await host.socket();
      const last = await host.socket();
      await until(
        () => victim.handles() <= before + 10,
        () => `${victim.handles()} handles, ${before} before`,
      );
      expect(last.readyState).toBe(last.OPEN);
      last.terminate();
    });
  });
});

describe("reports", () => {
  test("of ten megabytes, and what is none, are refused", async () => {
    await unnoticed(victim, async () => {
      const link = await linked();
      const large = await report(link, { ...host.report(), padding: "x".repeat(10 * 1024 * 1024) });
      expect(large).toMatchObject({ status: 413, text: expect.stringContaining("larger than 4194304 bytes") });
      for (const none of ["", "null", "{", "[[[[", '{"jobs":1}', "x".repeat(1_000_000)]) {
        expect(await report(link, none)).toMatchObject({ status: 400 });
      }
      link.close("over");
    });
  });

  test("with more of anything than a host can have are refused", async () => {
    await unnoticed(victim, async () => {
      const link = await linked();
      const accelerator = { index: 0, vendor: "nvidia", name: "H200", memoryGib: 141 };
      const long = "x".repeat(100_000);
      const wrong: object[] = [
        { inventory: { ...INVENTORY, accelerators: Array(30_000).fill(accelerator) } },
        { inventory: { ...INVENTORY, warnings: [long] } },
        { inventory: { ...INVENTORY, address: "10.0.0.1/../?x=\u001b[2J" } },
        { inventory: { ...INVENTORY, cpus: -1 } },
        { busyPorts: Array(3_000).fill(1) },
        { agent: { ...host.report().agent, incarnation: long } },
        { applied: { version: 0, hash: long } },
      ];
      for (const over of wrong)
        expect(await report(link, { ...host.report(), ...over })).toMatchObject({ status: 400 });
      expect(await report(link, host.report())).toMatchObject({ status: 200 });
      link.close("over");
    });
  });

  test("of jobs that the host does not have, or that are another project's, change nothing", async () => {
    await unnoticed(victim, async () => {
      const { replicas } = await victim.client(GOOD).service(STEADY);
      const replica = replicas[0]?.id ?? "";
      const job = (id: string, state: "ready" | "ended") => ({
        job: id,
        replica,
        state,
        attempt: 1,
        recentEnds: 9,
        lastEnd: null,
        confirmed: null,
        message: "\u001b[31mred",
      });
      const link = await linked();
      const jobs = [job(`${replica}.0`, "ended"), job(`${STEADY}-0-99.0`, "ready")];
      const routers = [{ job: `${replica}.0`, replica, incarnation: "i", listed: [replica], synced: 1e9 }];
      for (let seq = 2; seq < 10; seq++) {
        const answer = await report(link, host.report({ seq, jobs, routers, busyPorts: [seq] }));
        expect(answer.status).toBe(200);
        expect(JSON.parse(answer.text).desired?.jobs ?? []).toEqual([]);
      }
      expect(await victim.client(GOOD).service(STEADY)).toMatchObject({ ready: true, replicas: [{ id: replica }] });
      expect(await victim.client(BAD).services()).toEqual([]);
      link.close("over");
    });
  });

  test("all at once are read two at a time, the others are refused", async () => {
    await unnoticed(victim, async () => {
      const link = await linked();
      const body = new TextEncoder().encode(JSON.stringify({ ...host.report(), padding: "x".repeat(3_000_000) }));
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => link.request({ kind: "sync" }, body).then(({ head }) => head.status)),
      );
      expect(new Set(answers)).toEqual(new Set([200, 429]));
      expect(answers.filter((status) => status === 200).length).toBeLessThan(answers.length / 2);
      link.close("over");
    });
  });

  test("of another machine on a host's credential are refused", async () => {
    const link = await linked();
    const clone = { ...host.report({ seq: 99 }), agent: { ...host.report().agent, machine: "another" } };
    expect(await report(link, clone)).toMatchObject({ status: 403 });
    link.close("over");
  });

  test("and do not cut off the machine whose credential it is", async () => {
    const own = await linked();
    expect(await report(own, host.report({ seq: 100 }))).toMatchObject({ status: 200 });
    const stranger = await linked();
    const clone = { ...host.report({ seq: 101 }), agent: { ...host.report().agent, machine: "another" } };
    expect(await report(stranger, clone)).toMatchObject({ status: 403 });
    expect(await report(own, host.report({ seq: 102 }))).toMatchObject({ status: 200 });
    stranger.close("over");
    own.close("over");
  });
});

describe("answers to requests", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const pieces = (...values: string[]) =>
    flowOf(
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (const value of values) controller.enqueue(text(value));
          controller.close();
        },
      }),
    );
  const injected = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nowned";
  const answers: [name: string, status: number, headers: [string, string][], body: () => LinkBody][] = [
    ["a length and no body", 200, [["content-length", "500"]], () => null],
    ["a body longer than its length", 200, [["content-length", "1"]], () => pieces("x", injected)],
    ["a body shorter than its length", 200, [["content-length", "500"]], () => pieces("x")],
    [
      "two lengths",
      200,
      [
        ["content-length", "1"],
        ["Content-Length", "5"],
      ],
      () => pieces("x", injected),
    ],
    ["an encoding of its own", 200, [["transfer-encoding", "chunked"]], () => pieces("0\r\n\r\n", injected)],
    ["line ends in a header", 200, [["x", `a\r\n\r\n${injected}`]], () => text("x")],
    ["line ends in a name", 200, [[`x: y\r\n\r\n${injected}`, "a"]], () => text("x")],
    ["a status that goes on", 101, [["upgrade", "websocket"]], () => null],
    ["a body where there is none", 204, [], () => pieces(injected)],
    ["many headers", 200, Array.from({ length: 1_500 }, (_, i) => [`x-${i}`, "y"]), () => text("x")],
  ];
  test("are one answer each, whatever the host says: nothing of it becomes the next one's", async () => {
    let next = answers[0]!;
    const liar = await HostileHost.join(victim, "liar");
    const link = await liar.serve("lying", async () => ({
      head: { status: next[1], headers: next[2] },
      body: next[3](),
    }));
    const request = head(`GET /proxy/services/${BAD}/lying/x`, { Authorization: `Bearer ${victim.tokens[BAD]}` });
    await unnoticed(victim, async () => {
      for (next of answers) {
        const raw = new RawSocket(victim);
        raw.socket.write(request);
        await until(
          () => raw.text.includes("\r\n\r\n") || raw.socket.destroyed || raw.socket.readableEnded,
          () => `${next[0]}: no answer`,
        );
        // Another caller's on the same connection, as behind a proxy that keeps its connections.
        raw.socket.write(head("GET /health", { Connection: "close" }));
        await raw.left();
        const [first, second, ...more] = answersIn(raw.text);
        expect(first?.body, next[0]).not.toBe("owned");
        if (second !== undefined) expect(second, next[0]).toEqual({ status: 200, body: '{"ok":true}' });
        expect(more, next[0]).toEqual([]);
      }
    });
    link.close("over");
  });
});

describe("a join", () => {
  test("with a million accelerators, or a name that would act on a terminal, is refused", async () => {
    await unnoticed(victim, async () => {
      const accelerator = { index: 0, vendor: "nvidia", name: "H200", memoryGib: 141 };
      const million = { ...INVENTORY, accelerators: Array(1_000_000).fill(accelerator) };
      await expect(HostileHost.join(victim, "million", million)).rejects.toThrow(/^413 /);
      const many = { ...INVENTORY, accelerators: Array(2_000).fill(accelerator) };
      await expect(HostileHost.join(victim, "many", many)).rejects.toThrow(/^400 /);
      await expect(HostileHost.join(victim, "a\u001b[2Jb")).rejects.toThrow(/^400 /);
    });
  });
});

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
