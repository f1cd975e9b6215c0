import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { PeerWatch } from "./peer-watch.ts";
import { wordsOf } from "./words.ts";

const HOUR_MS = 3_600_000;

let watch: PeerWatch | null = null;

afterEach(async () => {
  await watch?.close();
  watch = null;
});

it("connects to just what it was told to, says nothing there, and takes a closed port for one of a host that is reached", async () => {
  const heard: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on("data", (chunk) => heard.push(chunk));
    // It is let go of by a reset.
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const closed = createServer().listen(0, "127.0.0.2");
  await once(closed, "listening");
  const { port: refusing } = closed.address() as { port: number };
  await new Promise((done) => closed.close(done));

  let hours = 0;
  const anHourEachTime = () => {
    hours += 1;
    return hours * HOUR_MS;
  };
  const rounds = new Promise<void>((resolve) => {
    watch = new PeerWatch({ changed: () => resolve(), now: anHourEachTime });
  });
  const hosts = [
    { host: "h2", address: "127.0.0.1", ports: [port] },
    { host: "h3", address: "127.0.0.2", ports: [refusing] },
  ];
  const connected = once(server, "connection");
  watch?.want({ tag: "t", hosts, everyMs: HOUR_MS, roundMs: 1_000 });
  const [socket] = await connected;
  await new Promise((over) => socket.once("close", over));
  await rounds;
  // On a busy machine another hour may have passed by now.
  expect(watch?.report()).toEqual({ tag: "t", round: expect.any(Number), unreached: [] });
  expect(watch?.report().round).toBeGreaterThan(0);
  expect(heard).toEqual([]);
  await new Promise((done) => server.close(done));
});

it("an agent that was told no hosts has none to speak of", () => {
  watch = new PeerWatch({ changed: () => {}, now: () => 0 });
  expect(watch.report()).toEqual({ tag: "", round: 0, unreached: [] });
});

it.each([
  [null, null],
  ["ECONNREFUSED", null],
  ["ECONNRESET", null],
  ["timeout", "no answer in 1 s"],
  ["EHOSTUNREACH", "no route to it, or a firewall forbids it"],
  ["EACCES", "a firewall here forbids it"],
  ["ENOTFOUND", "its name is not known here"],
  ["EMFILE", undefined],
])("an attempt that ends with %s means %s", (outcome, words) => {
  expect(wordsOf(outcome)).toBe(words);
});
