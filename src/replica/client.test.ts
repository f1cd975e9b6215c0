import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flowOf, streamOf } from "../link/flows.ts";
import { bytesOf, fed, pattern, pieces, settled, textOf } from "../link/testing.ts";
import { ReplicaClient } from "./client.ts";
import { Unreached } from "./exchange.ts";

const client = new ReplicaClient({ connectMs: 1_000, connectionsMax: 4 });
let replica: Server;
let origin: string;
let answers: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  replica = createServer((request, response) => answers(request, response)).listen(0, "127.0.0.1");
  await once(replica, "listening");
  origin = `http://127.0.0.1:${(replica.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await client.close();
  replica.closeAllConnections();
  replica.close();
});

const get = { method: "GET", path: "/x?y", headers: [] as [string, string][], body: null };
const never = new AbortController().signal;

describe("a request to a replica", () => {
  it("hands a small answer over whole, and says once that it is over", async () => {
    answers = (request, response) => response.setHeader("x-path", request.url ?? "").end("small");
    let over = 0;
    const answer = await client.request(origin, get, never, () => {
      over += 1;
    });
    expect(answer.head).toMatchObject({ status: 200 });
    expect(answer.head.headers).toContainEqual(["x-path", "/x?y"]);
    expect(answer.body).toBeInstanceOf(Uint8Array);
    expect(await textOf(answer.body)).toBe("small");
    expect(over).toBe(1);
  });

  it("carries bodies of any size both ways", async () => {
    answers = (request, response) => void request.pipe(response);
    const bytes = pattern(3_000_000);
    for (const body of [bytes, flowOf(pieces(bytes, 70_000).body)]) {
      const answer = await client.request(origin, { ...get, method: "POST", body }, never, () => undefined);
      expect(Buffer.compare(await bytesOf(answer.body), bytes)).toBe(0);
    }
  });

  it("hands each piece of a stream over before the next is made, and stops the replica while nobody reads", async () => {
    let written = 0;
    answers = (_request, response) => {
      const more = () => {
        while (written < 300 * 1024 * 1024 && response.write(Buffer.alloc(64 * 1024))) written += 64 * 1024;
      };
      response.write("first");
      response.on("drain", more);
      more();
    };
    const { body } = await client.request(origin, get, never, () => undefined);
    const reader = streamOf(body).getReader();
    expect(new TextDecoder().decode((await reader.read()).value?.subarray(0, 5))).toBe("first");
    let before = -1;
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(written).toBeLessThan(40 * 1024 * 1024);
    await reader.cancel();
  });

  it("that reaches nobody says so, and leaves its body alone", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    let started = false;
    const start = () => {
      started = true;
    };
    const body = { start, resume: () => undefined, cancel: () => undefined };
    const request = { ...get, method: "POST", body };
    await expect(client.request(`http://127.0.0.1:${port}`, request, never, () => undefined)).rejects.toThrow(
      Unreached,
    );
    expect(started).toBe(false);
  });

  it("that is cut once the replica has it is another failure", async () => {
    answers = (request) => request.socket.destroy();
    const failure = await client.request(origin, get, never, () => undefined).catch((error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(Unreached);
  });

  it("fails where its answer breaks off", async () => {
    answers = (request, response) => {
      response.write("half");
      setImmediate(() => request.socket.destroy());
    };
    const { body } = await client.request(origin, get, never, () => undefined);
    await expect(textOf(body)).rejects.toThrow();
  });

  it.each(["before its answer", "in the middle of it"])("ends at the replica when it is given up %s", async (when) => {
    const gone = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    answers = (_request, response) => {
      response.on("close", () => gone.resolve());
      if (when !== "before its answer") response.write("first");
      arrived.resolve();
    };
    const controller = new AbortController();
    let over = 0;
    const answer = client.request(origin, get, controller.signal, () => {
      over += 1;
    });
    await arrived.promise;
    if (when === "before its answer") {
      controller.abort(new Error("not wanted"));
      await expect(answer).rejects.toThrow("not wanted");
    } else {
      const { body } = await answer;
      const text = textOf(body);
      controller.abort(new Error("not wanted"));
      await expect(text).rejects.toThrow("not wanted");
    }
    await gone.promise;
    expect(over).toBe(1);
  });

  it("does not let a replica speak as an agent", async () => {
    answers = (_request, response) => response.writeHead(421, { "x-headrace-refused": "not_here", "x-own": "1" }).end();
    const { head } = await client.request(origin, get, never, () => undefined);
    expect(head.status).toBe(421);
    expect(head.headers.map(([name]) => name)).not.toContain("x-headrace-refused");
    expect(head.headers).toContainEqual(["x-own", "1"]);
  });

  it("reports an upload that breaks off as its failure", async () => {
    answers = (request) => void request.resume();
    const source = fed();
    const request = { ...get, method: "POST", body: flowOf(source.body) };
    const answer = client.request(origin, request, never, () => undefined);
    source.give("half");
    await once(replica, "request");
    source.controller.error(new Error("the client went away"));
    await expect(answer).rejects.toThrow("the client went away");
  });

  it("is given a length where its body has one, which the body must keep", async () => {
    answers = (request, response) => {
      const { "content-length": length, "transfer-encoding": coding } = request.headers;
      request.resume().on("end", () => response.end(JSON.stringify([length ?? null, coding ?? null])));
    };
    const send = async (said: string | null, bytes: Uint8Array) => {
      const headers: [string, string][] = said === null ? [] : [["content-length", said]];
      const request = { ...get, method: "POST", headers, body: flowOf(pieces(bytes, 10).body) };
      return textOf((await client.request(origin, request, never, () => undefined)).body);
    };
    expect(await send(null, pattern(25))).toBe('[null,"chunked"]');
    expect(await send("25", pattern(25))).toBe('["25",null]');
    await expect(send("24", pattern(25))).rejects.toThrow("longer than it was said to be");
    await expect(send("26", pattern(25))).rejects.toThrow("shorter than it was said to be");
  });

  it("uses a connection again, waits when all are taken, and gives up waiting when told", async () => {
    const own = new ReplicaClient({ connectMs: 1_000, connectionsMax: 2 });
    const sockets = new Set<unknown>();
    const held: ServerResponse[] = [];
    const arrived = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    answers = (request, response) => {
      // Of an earlier test a request may still come that was given up there.
      if (request.headers["x-own"] !== undefined) sockets.add(request.socket);
      if (request.url !== "/held") response.end("x");
      else if (held.push(response) > 1) arrived[1]?.resolve();
      else arrived[0]?.resolve();
    };
    const ask = (path: string, signal = never) =>
      own.request(origin, { ...get, path, headers: [["x-own", "1"]] }, signal, () => undefined);
    for (let i = 0; i < 5; i++) await ask("/");
    expect(sockets.size).toBe(1);

    const first = [ask("/held"), ask("/held")];
    await Promise.all(arrived.map(({ promise }) => promise));
    const controller = new AbortController();
    const givenUp = ask("/waits", controller.signal);
    const waits = ask("/waits");
    controller.abort(new Error("not wanted"));
    await expect(givenUp).rejects.toThrow("not wanted");
    for (const response of held) response.end();
    expect((await waits).head.status).toBe(200);
    await Promise.all(first);
    expect(sockets.size).toBe(2);

    await own.retire();
    const late = ask("/");
    await expect(late).rejects.toThrow(Unreached);
  });

  it("is answered over a connection whose last answer ended before anybody read it", async () => {
    const own = new ReplicaClient({ connectMs: 1_000, connectionsMax: 1 });
    // Without a length, so that it goes in chunks, all of which come at once.
    answers = (_request, response) => response.writeHead(200).end("small");
    for (let i = 0; i < 3; i++) {
      const { body } = await own.request(origin, get, never, () => undefined);
      expect(body).not.toBeInstanceOf(Uint8Array);
      await settled();
      expect(await textOf(body)).toBe("small");
    }
    await own.close();
  });

  it("is not sent over a connection on which an answer came that nobody asked for", async () => {
    const own = new ReplicaClient({ connectMs: 1_000, connectionsMax: 1 });
    const sockets = new Set<unknown>();
    answers = (request, response) => {
      sockets.add(request.socket);
      response.end("own", () => request.socket.write("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nanother"));
    };
    for (let i = 0; i < 3; i++) {
      const { body } = await own.request(origin, get, never, () => undefined);
      expect(await textOf(body)).toBe("own");
      await Promise.all([...sockets].map((socket) => (socket as Socket).destroyed || once(socket as Socket, "close")));
    }
    expect(sockets.size).toBe(3);
    await own.close();
  });

  it("that is answered before its body has come is over, and its body is told", async () => {
    answers = (_request, response) => response.writeHead(413).end("too much");
    const source = fed();
    const request = { ...get, method: "POST", body: flowOf(source.body) };
    source.give("a beginning");
    const { head, body } = await client.request(origin, request, never, () => undefined);
    expect([head.status, await textOf(body)]).toEqual([413, "too much"]);
    await source.cancelled;
  });

  it("is not sent where it would write more into the connection than a request", async () => {
    const request = { ...get, headers: [["x", "y\r\n\r\nGET /own HTTP/1.1"]] as [string, string][] };
    let over = 0;
    const sent = client.request(origin, request, never, () => {
      over += 1;
    });
    await expect(sent).rejects.toThrow(Unreached);
    expect(over).toBe(1);
  });
});
