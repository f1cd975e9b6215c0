import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeCredential } from "./credential.ts";
import { leave } from "./leave.ts";

let dataDir: string;
let server: Server;
let told: string[];
let status = 200;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "hr-leave-"));
  told = [];
  server = createServer((request, response) => {
    told.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.writeHead(status).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const leaving = () => leave({ dataDir, dockerSocket: null });
const joined = (address: string) =>
  writeCredential(dataDir, { server: address, project: "main", fleet: "default", host: "h1", credential: "hrh_x" });

test("the server is told with the host's own credential, and what it answers is said", async () => {
  await joined(url());
  status = 200;
  expect(await leaving()).toBe(`The server ${url()} has forgotten this host, which was h1.`);
  expect(told).toEqual(["POST /agent/leave Bearer hrh_x"]);
  // Again after an interruption: the credential is not known any more.
  status = 401;
  expect(await leaving()).toBe(`The server ${url()} does not know this host (h1) any more.`);
  // One of before there was such a thing.
  status = 404;
  expect(await leaving()).toContain("could not be told (it answered 404), and still knows this host");
});

test("a server that is away keeps nobody from leaving, and is told of", async () => {
  const address = url();
  await joined(address);
  server.close();
  await once(server, "close");
  expect(await leaving()).toMatch(
    /^The server \S+ could not be told \(.*ECONNREFUSED.*\), and still knows this host: headrace host remove h1 --force$/,
  );
});

test("a host that never joined tells nobody", async () => {
  expect(await leaving()).toBe("");
  writeFileSync(join(dataDir, "credential.json"), "damaged");
  expect(await leaving()).toBe("");
  expect(told).toEqual([]);
});
