import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensurePython } from "../../scripts/python.ts";
import { RUNTIMES } from "../support/control-planes.ts";
import { INTO_NAMESPACES, runInNamespaces } from "../support/in-namespaces.ts";
import { findPacketFilter } from "../support/packet-filter.ts";
import type { NoInboundResult } from "./namespaces/no-inbound.ts";

/** A host without jobs syncs by itself every two minutes, so that whatever comes sooner has woken it. */
const WOKEN_WITHIN_MS = 5_000;

const found = findPacketFilter(INTO_NAMESPACES);
const filter = "filter" in found ? found.filter : null;
/** Names are what is printed of tests that were not run, so they say why. */
const how = "filter" in found ? found.filter : `not run: ${found.none.replaceAll("%", "%%")}`;

describe.skipIf(filter === null).each(RUNTIMES)(
  `a host whose firewall (${how}) drops what is no answer, by a control plane on %s`,
  (runtime) => {
    const folder = mkdtempSync(join(tmpdir(), "headrace-closed-"));
    let result: NoInboundResult;

    beforeAll(async () => {
      const { bin } = await ensurePython();
      const script = "test/e2e/namespaces/no-inbound.ts";
      result = runInNamespaces<NoInboundResult>(script, [runtime, `${filter}`, folder, bin], 150_000);
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

    test("with an agent that listens nowhere: only its jobs do", () => {
      const { listeners } = result;
      expect(listeners.length).toBeGreaterThan(2);
      for (const { protocol, commands } of listeners) {
        expect(protocol).toBe("tcp");
        expect(commands).not.toEqual([]);
        for (const command of commands) expect(command).toMatch(/\bsmg\b|sglang\.launch_server|engine-sim/);
      }
    });

    test("and is reached in no other way", () => {
      expect(result.fromOutside).toBe("nothing");
      expect(result.dropped).toBeGreaterThan(0);
    });
  },
);
