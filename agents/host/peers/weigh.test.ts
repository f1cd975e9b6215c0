import { expect, it } from "vitest";
import { peersReport } from "../../../src/wire/index.ts";
import { describeUnreached, followList, noteLook, type Target, type Targets } from "./weigh.ts";

const EVERY_MS = 60_000;
const SILENT = "no answer in 1 s";
const HOSTS = [
  { host: "h2", address: "10.0.0.2", ports: [8_000, 8_998] },
  { host: "h3", address: "10.0.0.3", ports: [8_000] },
];
const list = (hosts = HOSTS) => ({ tag: "t", hosts, everyMs: EVERY_MS, roundMs: EVERY_MS });
const followed = () => followList(new Map(), list(), 0);
const target = (targets: Targets, key: string) => targets.get(key) as Target;

/** Looks one after the other, each when it is due. @returns when each was */
function look(targets: Targets, key: string, outcomes: (string | null | undefined)[]): number[] {
  const one = target(targets, key);
  return outcomes.map((why) => {
    const at = one.nextAt;
    noteLook(one, why, EVERY_MS, at);
    return at;
  });
}

it("tries everything at once, then only as often as it was told while all is well", () => {
  const targets = followed();
  expect([...targets.values()].map(({ nextAt }) => nextAt)).toEqual([0, 0, 0]);
  expect(look(targets, "h3 10.0.0.3 8000", [null, null, null])).toEqual([0, EVERY_MS, 2 * EVERY_MS]);
});

it("holds a port not to be reached after three looks, each soon after the other, and names no moment", () => {
  const targets = followed();
  const key = "h2 10.0.0.2 8998";
  look(targets, "h2 10.0.0.2 8000", [null]);
  expect(look(targets, key, [SILENT, SILENT])).toEqual([0, 2_000]);
  expect(describeUnreached(targets)).toEqual([]);
  look(targets, key, [SILENT]);
  const said = describeUnreached(targets);
  expect(said).toEqual([{ host: "h2", address: "10.0.0.2", ports: [8_998], whole: false, why: SILENT }]);
  look(targets, key, [SILENT, "no route to it", SILENT]);
  expect(JSON.stringify(describeUnreached(targets))).toBe(JSON.stringify(said));
});

it("a lost packet, and one answer between two losses, change nothing", () => {
  const targets = followed();
  const key = "h3 10.0.0.3 8000";
  look(targets, key, [SILENT, SILENT, null, SILENT, SILENT, null]);
  expect(describeUnreached(targets)).toEqual([]);
  look(targets, key, [SILENT, SILENT, SILENT, null, SILENT, null]);
  expect(describeUnreached(targets)).toHaveLength(1);
  look(targets, key, [null]);
  expect(describeUnreached(targets)).toEqual([]);
});

it("looks at what is not reached more often than at what is, and at what is in doubt most often", () => {
  const targets = followed();
  const at = look(targets, "h3 10.0.0.3 8000", [SILENT, SILENT, SILENT, SILENT, null, null, null]);
  expect(at.map((moment, i) => moment - (at[i - 1] ?? 0))).toEqual([0, 2_000, 2_000, 5_000, 5_000, 2_000, EVERY_MS]);
});

it("says that nothing of a host is reached only where no port was reached, also while a new one is not held yet", () => {
  const targets = followed();
  look(targets, "h2 10.0.0.2 8000", [SILENT, SILENT, SILENT]);
  expect(describeUnreached(targets)).toMatchObject([{ host: "h2", ports: [8_000], whole: true }]);
  look(targets, "h2 10.0.0.2 8998", [null]);
  expect(describeUnreached(targets)).toMatchObject([{ host: "h2", ports: [8_000], whole: false }]);
  for (const key of ["h2 10.0.0.2 8000", "h2 10.0.0.2 8998"]) look(targets, key, [SILENT, SILENT, SILENT]);
  expect(describeUnreached(targets)).toMatchObject([{ host: "h2", ports: [8_000, 8_998], whole: true }]);
});

it("a look that tells nothing neither holds nor frees", () => {
  const targets = followed();
  look(targets, "h3 10.0.0.3 8000", [SILENT, SILENT, undefined, SILENT]);
  expect(describeUnreached(targets)).toHaveLength(1);
  look(targets, "h3 10.0.0.3 8000", [undefined, undefined, null, undefined]);
  expect(describeUnreached(targets)).toHaveLength(1);
});

it("another list keeps what is known of what it still names, and forgets a host at its old address", () => {
  const targets = followed();
  for (const key of ["h2 10.0.0.2 8000", "h3 10.0.0.3 8000"]) look(targets, key, [SILENT, SILENT, SILENT]);
  const [h2, h3] = HOSTS as [(typeof HOSTS)[number], (typeof HOSTS)[number]];
  const next = followList(targets, list([h2, { ...h3, address: "10.0.0.30" }]), 5);
  expect(describeUnreached(next).map(({ host }) => host)).toEqual(["h2"]);
  expect(target(next, "h3 10.0.0.30 8000").nextAt).toBe(5);
  expect(followList(next, list([]), 6).size).toBe(0);
});

it("the worst that can be reported is taken by the wire", () => {
  const ports = [1, 2, 3, 4, 5, 65_535];
  const hosts = Array.from({ length: 32 }, (_, i) => ({ host: `h${i}`, address: `10.0.0.${i}`, ports }));
  const targets = followList(new Map(), list(hosts), 0);
  for (const key of targets.keys()) look(targets, key, [SILENT, SILENT, SILENT]);
  expect(peersReport.parse({ tag: "t", round: 0, unreached: describeUnreached(targets) }).unreached).toHaveLength(32);
});
