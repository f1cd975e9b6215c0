import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Deliveries } from "./deliveries.ts";

let server: Server;
let statuses: number[];
let waits: number[];
const body = Buffer.from("an archive");
const file = { path: "app", sha256: createHash("sha256").update(body).digest("hex"), bytes: body.length };

beforeEach(async () => {
  waits = [];
  server = createServer((_, response) => response.writeHead(statuses.shift() ?? 200).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

function deliveries(): Deliveries {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new Deliveries(url, "hrh_x", async (ms) => waits.push(ms));
}

test("a file is asked for again while too many of the project's hosts fetch theirs", async () => {
  statuses = [429, 429, 200];
  expect(await deliveries().fetch(file)).toEqual(body);
  expect(waits).toEqual([1_000, 1_000]);
});

test("but not for ever, and not when it is refused for another reason", async () => {
  statuses = Array<number>(100).fill(429);
  await expect(deliveries().fetch(file)).rejects.toThrow("it answered 429");
  expect(waits).toHaveLength(19);
  statuses = [404];
  await expect(deliveries().fetch(file)).rejects.toThrow("it answered 404");
  expect(waits).toHaveLength(19);
});
