import { expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { applyOf } from "../../../test/support/inputs.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import type { ServiceSpec } from "../../spec/types.ts";
import type { FleetEntity, HostEntity } from "../state.ts";
import { planApply } from "./plan.ts";

function warningsOf(
  over: Partial<ServiceSpec>,
  groups = [workerGroup(1)],
  disks: HostEntity["inventory"]["disks"] = [],
): string[] {
  const world = new World();
  world.addHost("a", { disks });
  return planApply(world.state, applyOf(serviceSpec("web", groups, over)), world.now).warnings;
}

test("a host with little room is named once, and where there is none nothing goes to it", () => {
  const disk = { path: "/data", holds: ["data" as const, "models" as const], gib: 100, level: "low" as const };
  expect(warningsOf({}, [workerGroup(2)], [disk])).toEqual([
    "host a: the disk of /data is nearly full; what has to be fetched may not fit",
  ]);
  expect(warningsOf({}, [workerGroup(2)], [{ ...disk, level: "full" }])).toEqual([]);
  // Nothing that runs as a process is fetched to where an engine has its images.
  expect(warningsOf({}, [workerGroup(2)], [{ ...disk, holds: ["images"] }])).toEqual([]);
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

test("prefill and decode that run in several fleets, of which one has become a cluster since", () => {
  const pairs = (fleet: string) => prefillGroup(1, { fleets: [{ project: null, name: fleet }] });
  const spec = serviceSpec("web", [pairs("default"), decodeGroup(1, { fleets: [{ project: null, name: "rack" }] })]);
  const world = new World();
  world.addHost("a");
  world.addHost("b", {}, "rack");
  world.apply(spec);
  const warnings = () => planApply(world.state, applyOf(spec), world.now).warnings;
  expect(warnings()).toEqual([]);
  const fleet = world.state.tables.fleet.byId.get("rack") as FleetEntity;
  world.state.tables.fleet.put({ ...fleet, settings: { ...fleet.settings, placement: "cluster" } });
  expect(warnings()).toEqual([
    "prefill and decode are in the fleets default and rack, which share no interconnect (`placement: cluster`): " +
      "stop the service and apply it again, and leave `fleets` of these groups out or write the same into both",
  ]);
});
