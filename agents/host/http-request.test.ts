import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type HttpRequest, sendRequest } from "./http-request.ts";

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A server that answers what it is sent with these bytes, and ends the connection where `end`. */
async function serverOf(answer: string, end = false): Promise<{ url: string; heard: () => string }> {
  let heard = "";
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      heard += bytes;
      if (end) socket.end(answer);
      else socket.write(answer);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?q=1`, heard: () => heard };
}

const plain = (over: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET",
  headers: {},
  body: null,
  signal: AbortSignal.timeout(5_000),
  answerBytesMax: 10,
  agent: false,
  ...over,
});

const answerOf = (body: string, length = body.length) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${body}`;

test("an answer is read whole, up to its bound", async () => {
  expect(await sendRequest((await serverOf(answerOf("0123456789"))).url, plain())).toEqual({
    status: 200,
    text: "0123456789",
  });
  const longer = await serverOf(answerOf("0123456789a"));
  await expect(sendRequest(longer.url, plain())).rejects.toThrow("larger than 10 bytes");
});

test.each(["POST", "DELETE", "GET"])(
  "a body goes with its length (%s), headers as often as they were given",
  async (method) => {
    const server = await serverOf(answerOf("ok"));
    await sendRequest(server.url, plain({ method, body: "é", headers: { "x-a": ["1", "2"] } }));
    expect(server.heard()).toMatch(new RegExp(`^${method} /path\\?q=1 HTTP/1\\.1\r\n`));
    expect(server.heard()).toContain("content-length: 2\r\n");
    expect(server.heard().match(/^x-a: [12]\r$/gm)).toHaveLength(2);
  },
);

test("a redirect is an answer like any other", async () => {
  const { url } = await serverOf("HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n");
  expect(await sendRequest(url, plain())).toEqual({ status: 302, text: "" });
});

test.each([
  ["ends before it", "", true],
  ["changes protocols", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n", false],
  ["breaks off in the middle of it", answerOf("01", 9), true],
  ["does not speak HTTP", "SSH-2.0-other\r\n", false],
])("there is no answer where a connection %s", async (_, bytes, end) => {
  const { url } = await serverOf(bytes, end);
  await expect(sendRequest(url, plain())).rejects.toThrow(/./);
});

test("what it is broken off with is thrown, before an answer and in the middle of it", async () => {
  for (const bytes of ["", answerOf("01", 9)]) {
    const { url } = await serverOf(bytes);
    const stop = new AbortController();
    const answer = sendRequest(url, plain({ signal: stop.signal }));
    setImmediate(() => stop.abort(new Error("the agent ends")));
    await expect(answer).rejects.toThrow("the agent ends");
  }
});
