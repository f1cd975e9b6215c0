import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import { ensurePython } from "../../scripts/python.ts";
import { RUNTIMES } from "../support/control-planes.ts";
import type { NoInboundResult } from "./namespaces/no-inbound.ts";

/** A host without jobs syncs by itself every two minutes, so that whatever comes sooner has woken it. */
const WOKEN_WITHIN_MS = 5_000;

/** Root makes the namespaces itself; anyone else is root in a user namespace of their own. */
const NAMESPACES = [
  ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
  ...["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
];
const env = { ...process.env, PATH: [process.env.PATH, "/usr/sbin"].join(delimiter) };
/** Some kernels in containers have no packet filter, and no test can give them one. */
const hasFilter = spawnSync("unshare", [...NAMESPACES, "nft", "add", "table", "inet", "probe"], { env }).status === 0;

describe.skipIf(!hasFilter).each(RUNTIMES)(
  "a host whose firewall drops what is no answer, by a control plane on %s",
  (runtime) => {
    const folder = mkdtempSync(join(tmpdir(), "headrace-closed-"));
    let result: NoInboundResult;

    beforeAll(async () => {
      const { bin } = await ensurePython();
      const script = join(ROOT, "test/e2e/namespaces/no-inbound.ts");
      const done = spawnSync("unshare", [...NAMESPACES, process.execPath, script, runtime, folder, bin], {
        encoding: "utf8",
        env,
        timeout: 150_000,
        maxBuffer: 64 * 1024 * 1024,
      });
      if (done.status !== 0) throw new Error(`it failed: ${done.error ?? ""}\n${done.stdout}\n${done.stderr}`);
      result = JSON.parse(done.stdout.trim().split("\n").at(-1) ?? "") as NoInboundResult;
    }, 160_000);

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test("joins, and is woken by an apply", () => {
      expect(result.wokenMs).toBeLessThan(WOKEN_WITHIN_MS);
    });

    test("serves streamed chat completions through its link", () => {
      expect(result.answers).toHaveLength(3);
      for (const answer of result.answers) {
        expect(answer).toMatchObject({ status: 200, whole: true });
        expect(answer.chunks).toBeGreaterThanOrEqual(16);
      }
    });

    test("and is reached in no other way", () => {
      expect(result.fromOutside).toBe("nothing");
      expect(result.dropped).toBeGreaterThan(0);
    });
  },
);
