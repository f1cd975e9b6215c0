import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "../test/support/ports.ts";
import { ROOT } from "./bootstrap.js";

test("the demo on the edge's runtime ends after a whole streamed answer and leaves nothing running", async () => {
  const port = await freePort();
  const demo = [join(ROOT, "scripts/demo.js"), "--edge", "--once", "--port", String(port)];
  const { status, stdout, stderr } = spawnSync(process.execPath, demo, { encoding: "utf8", timeout: 110_000 });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  expect(stdout).toContain(`a control plane on 127.0.0.1:${port}: the Worker and its Durable Objects, on workerd`);
  expect(stdout).toContain("its state on a libSQL server at http://127.0.0.1:");
  expect(stdout).toMatch(/\n60 pieces through proxy, link, router, prefill and decode/);
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
});
