import { basename, dirname } from "node:path/posix";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inventory } from "../../../src/wire/index.ts";
import { efaHost } from "../../../test/support/fake-sysfs/efa.ts";
import type { FakeTree } from "../../../test/support/fake-sysfs/fake-tree.ts";
import { h100Host } from "../../../test/support/fake-sysfs/h100.ts";
import { mi300xHost } from "../../../test/support/fake-sysfs/mi300x.ts";
import { describeHardware } from "./describe.ts";
import { findHardware, readHardware } from "./hardware.ts";
import { type HealthMemory, knownParts, NOTHING_KNOWN, weigh } from "./health.ts";

const HOSTS = { mi300x: mi300xHost, h100: h100Host, efa: efaHost };

/** Every file and link that a reader could meet, by host. */
const PATHS = Object.entries(HOSTS).flatMap(([host, make]) => {
  return make()
    .paths()
    .map((path) => ({ host: host as keyof typeof HOSTS, path }));
});

const rubbish = fc.oneof(
  fc.constant(null),
  fc.constantFrom("", "-1", "0x", "18446744073709551616", "NaN", "4", "4: ", "9: NEW", "1e9 Gb/sec", "../../..", "\0"),
  fc.string({ unit: "binary", maxLength: 300 }),
);

/** Puts rubbish in the place of a file; null takes it away. */
function spoil(tree: FakeTree, path: string, text: string | null): void {
  tree.remove(path);
  if (text !== null) tree.add(dirname(path), { [basename(path)]: text });
}

test("whatever file is missing or holds rubbish: what can be read is told, and fits a report", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...PATHS),
      fc.array(fc.tuple(fc.nat(), rubbish), { minLength: 1, maxLength: 6 }),
      async ({ host, path }, spoils) => {
        const tree = HOSTS[host]();
        const before = await look(tree, NOTHING_KNOWN);
        const paths = PATHS.filter((other) => other.host === host);
        for (const [n, [at, text]] of spoils.entries()) {
          spoil(tree, n === 0 ? path : (paths[at % paths.length]?.path ?? path), text);
        }
        // Both for an agent that knew the host before and for one that sees it like this first.
        for (const memory of [before, NOTHING_KNOWN]) await look(tree, memory);
      },
    ),
    { numRuns: 15 },
  );
}, 20_000);

async function look(tree: FakeTree, memory: HealthMemory): Promise<HealthMemory> {
  const trees = tree.trees();
  const found = await findHardware(trees, null);
  const readings = await readHardware(trees, null, knownParts(memory, found));
  const next = weigh(memory, found, readings);
  const { accelerators, nics, fabric, problems } = describeHardware(found, readings, next);
  const report = { accelerators, nics, fabric, problems };
  expect(inventory.pick({ accelerators: true, nics: true, fabric: true, problems: true }).parse(report)).toEqual(
    report,
  );
  expect(accelerators.map(({ index }) => index)).toEqual(accelerators.map((_, position) => position));
  return next;
}
