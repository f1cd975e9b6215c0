import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { JoinRefused } from "./join.ts";
import { joinOnly } from "./join-only.ts";
import { JOIN_TOKEN, TestControlPlane } from "./testing/control-plane.ts";

let dataDir: string;
let control: TestControlPlane;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "headrace-join-"));
  control = new TestControlPlane();
  await control.listen();
});
afterEach(async () => {
  await control.close();
  await rm(dataDir, { recursive: true, force: true });
});

const joining = (given: { joinToken?: string | null; fleet?: string; server?: string } = {}) =>
  joinOnly({
    server: given.server ?? control.url,
    joinToken: given.joinToken === undefined ? JOIN_TOKEN : given.joinToken,
    name: "host-1",
    address: "127.0.0.1",
    dataDir,
    declared: {},
    fleet: given.fleet ?? null,
  });

test("joins once, and needs no token from then on", async () => {
  expect(await joining()).toEqual({ host: "h1", fleet: "default", joined: true });
  expect(await joining({ joinToken: null })).toEqual({ host: "h1", fleet: "default", joined: false });
  expect(control.joins).toBe(1);
});

test("a host that has joined is not taken for one of another fleet or server", async () => {
  await joining();
  await expect(joining({ fleet: "h100" })).rejects.toThrow("This host is in the fleet default and not in h100.");
  await expect(joining({ server: "http://127.0.0.1:1" })).rejects.toThrow(JoinRefused);
  expect(await joining({ fleet: "default" })).toMatchObject({ joined: false });
});

test("tells a refusal, after which nothing is to be kept, from an answer that did not come", async () => {
  await expect(joining({ joinToken: null })).rejects.toThrow(JoinRefused);
  await expect(joining({ joinToken: "another" })).rejects.toThrow(JoinRefused);
  control.lostJoinAnswers = 1;
  const lost = await joining().catch((error) => error);
  expect(lost).not.toBeInstanceOf(JoinRefused);
  const chosen = await readFile(join(dataDir, "joining.json"), "utf8");
  // The same join goes on, though its token is used.
  expect(await joining()).toMatchObject({ host: "h1", joined: true });
  const { credential } = JSON.parse(chosen) as { credential: string };
  expect(JSON.parse(await readFile(join(dataDir, "credential.json"), "utf8"))).toMatchObject({ credential });
});
