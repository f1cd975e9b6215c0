import { expect, test } from "vitest";
import { World } from "../../test/support/core-world.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, workerGroup } from "../../test/support/specs.ts";
import type { ServiceSpec } from "../spec/types.ts";
import { closedFleet } from "./fleets.ts";
import { planApply } from "./plan.ts";
import type { FleetEntity, HostEntity } from "./state.ts";

function warningsOf(
  over: Partial<ServiceSpec>,
  groups = [workerGroup(1)],
  fleets: FleetEntity[] = [],
  disks: HostEntity["inventory"]["disks"] = [],
): string[] {
  const input = {
    kind: "apply" as const,
    spec: serviceSpec("web", groups, over),
    sealed: {},
    secrets: {},
    files: [],
    images: {},
    pairing: "p",
    expectedRevision: null,
    actor: "test",
  };
  const world = new World();
  world.addHost("a", { disks });
  for (const fleet of fleets) {
    world.state.tables.fleet.put(fleet);
    world.addHost(`of-${fleet.id}`, {}, fleet.id);
  }
  return planApply(world.state, input, world.now).warnings;
}

test("a host with little room is named once, and where there is none nothing goes to it", () => {
  const disk = { path: "/data", holds: ["data" as const, "models" as const], gib: 100, level: "low" as const };
  expect(warningsOf({}, [workerGroup(2)], [], [disk])).toEqual([
    "host a: the disk of /data is nearly full; what has to be fetched may not fit",
  ]);
  expect(warningsOf({}, [workerGroup(2)], [], [{ ...disk, level: "full" }])).toEqual([]);
  // Nothing that runs as a process is fetched to where an engine has its images.
  expect(warningsOf({}, [workerGroup(2)], [], [{ ...disk, holds: ["images"] }])).toEqual([]);
});

const file = (path: string) => ({ localPath: "app", path });

test.each(["/srv/app", "..", "../app", "a/../../b", "~/../b"])(
  "a replica with a file at %s could not start",
  (path) => {
    expect(warningsOf({ files: [file("app"), file(path)] })).toEqual([
      expect.stringContaining(`no replica that runs as a process will start: \`${path}\` under \`files\` lies outside`),
    ]);
  },
);

test.each(["app", "~/app", "~", "..app", "./a/../app"])("one at %s could", (path) => {
  expect(warningsOf({ files: [file(path)] })).toEqual([]);
});

test("files lie where commands start without `working_dir`", () => {
  expect(warningsOf({ files: [file("app")], workingDir: "/srv" })).toEqual([
    expect.stringContaining("leave `working_dir` out"),
  ]);
  expect(warningsOf({ workingDir: "/srv" })).toEqual([]);
});

test("a router serves no path that keeps its prefix", () => {
  expect(warningsOf({ stripPrefix: false }, [routerGroup(), workerGroup(1)])).toContainEqual(
    expect.stringContaining("`strip_prefix: false` makes the router see"),
  );
});

test("prefill and decode that are placed in several fleets, of which one says that its hosts belong together", () => {
  const fleet = (placement: "any" | "cluster"): FleetEntity => {
    const closed = closedFleet("rack");
    return { ...closed, settings: { ...closed.settings, placement } };
  };
  const to = (name: string) => ({ fleets: [{ project: null, name }] });
  const groups = (prefill: string, decode: string) => [prefillGroup(1, to(prefill)), decodeGroup(1, to(decode))];
  const said = [
    "prefill and decode are in the fleets default and rack, which share no interconnect (`placement: cluster`): write one of them into `fleets` of these groups",
  ];
  expect(warningsOf({}, groups("default", "rack"), [fleet("cluster")])).toEqual(said);
  expect(warningsOf({}, groups("rack", "default"), [fleet("cluster")])).toEqual(said);
  expect(warningsOf({}, groups("rack", "rack"), [fleet("cluster")])).toEqual([]);
  expect(warningsOf({}, groups("default", "rack"), [fleet("any")])).toEqual([]);
});
