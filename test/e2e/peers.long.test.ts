import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensurePython } from "../../scripts/python.ts";
import { INTO_NAMESPACES, runInNamespaces } from "../support/in-namespaces.ts";
import { findPacketFilter } from "../support/packet-filter.ts";
import type { PeersResult } from "./namespaces/peers.ts";

/** Three looks two seconds apart, each of a second, take seven; five times as long on a machine that is busy. */
const SEEN_WITHIN_MS = 35_000;

const found = findPacketFilter(INTO_NAMESPACES);
const filter = "filter" in found ? found.filter : null;
/** Names are what is printed of tests that were not run, so they say why. */
const how = "filter" in found ? found.filter : `not run: ${found.none.replaceAll("%", "%%")}`;

const WHY = "no answer in 1 s";

describe.skipIf(filter === null)(`a host whose firewall (${how}) drops what its peers send`, () => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-peers-"));
  let result: PeersResult;

  beforeAll(async () => {
    const { bin } = await ensurePython();
    result = runInNamespaces<PeersResult>("test/e2e/namespaces/peers.ts", ["node", `${filter}`, folder, bin], 170_000);
  }, 180_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is found out of reach by both others within a few looks", () => {
    expect(result.seenMs).toBeLessThan(SEEN_WITHIN_MS);
  });

  test("is marked in host list, and host show says who does not reach it, where and why", () => {
    const states = result.shown.list
      .split("\n")
      .slice(1, 4)
      .map((line) => line.split(/ {2,}/)[3]);
    expect(states).toEqual(["online, out of reach of 2", "online, out of reach of 1", "online, out of reach of 1"]);
    expect(result.shown.closed.replace(/for \d+s/, "for 5s")).toContain(`
unreached: gpu-1 and plain do not reach it at 10.213.77.11 port 8000: ${WHY}, for 5s
Open these ports between the hosts of its fleet (firewalls, a cloud's rules), or give it the address that they
reach it by (--address): docs/hosts.md, Hosts that cannot reach each other.
`);
  });

  test("gets no replica that others must reach, and plan and ps say why", () => {
    expect(result.placed).toEqual(["decode on gpu-1", "router on plain"]);
    expect(result.plan).toContain(`1 host: cannot be reached by gpu-1 at 10.213.77.11 port 8998: ${WHY} (closed)`);
    expect(result.ps).toContain(`host closed: cannot be reached by gpu-1 at 10.213.77.11 port 8998: ${WHY};`);
  });

  test("gets it once the firewall is open, and the service answers", () => {
    expect(result.placedAfter).toEqual(["decode on gpu-1", "prefill on closed", "router on plain"]);
    expect(result.answer).toMatchObject({ status: 200, whole: true });
    expect(result.unreachedAfter).toEqual([0, 0, 0]);
  });
});
