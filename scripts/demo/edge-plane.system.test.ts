import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createClient } from "../../src/api/client.ts";
import { PlayedHost } from "../../test/support/played-host.ts";
import { freePort } from "../../test/support/ports.ts";
import { startOnWorkerd } from "./edge-plane.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-demo-plane-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("the demo's control plane on workerd ends at once, also while a host is linked", async () => {
  const plane = await startOnWorkerd(folder, await freePort());
  const client = createClient({ server: plane.url, token: plane.token, project: "main" });
  const host = await PlayedHost.here(client, plane.url, "linked");
  await plane.close();
  await expect(fetch(`${plane.url}/health`)).rejects.toThrow();
  host.leave();
});
