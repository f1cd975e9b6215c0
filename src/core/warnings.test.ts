import { expect, test } from "vitest";
import { World } from "../../test/support/core-world.ts";
import { routerGroup, serviceSpec, workerGroup } from "../../test/support/specs.ts";
import type { ServiceSpec } from "../spec/types.ts";
import { planApply } from "./plan.ts";

function warningsOf(over: Partial<ServiceSpec>, groups = [workerGroup(1)]): string[] {
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
  world.addHost("a");
  return planApply(world.state, input, world.now).warnings;
}

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
