import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { applyOf } from "../../../test/support/inputs.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import type { GroupSpec, ServiceSpec } from "../../spec/types.ts";
import { planApply } from "./plan.ts";
import { currentRevision } from "./revision.ts";
import { plannedChanges, WAYS } from "./ways.ts";

const web = (over: Partial<ServiceSpec> = {}, group: Partial<GroupSpec> = {}) =>
  serviceSpec("web", [workerGroup(2, group)], over);
const pd = (over: Partial<ServiceSpec> = {}) =>
  serviceSpec("pd", [routerGroup(), prefillGroup(1), decodeGroup(1)], over);

let world: World;
beforeEach(() => {
  world = new World();
  world.addHost("a");
});

function running(spec: ServiceSpec): string[] {
  expect(world.apply(spec)).toMatchObject({ kind: "applied" });
  world.settle();
  expect(world.routes(spec.name).ready).toBe(true);
  return world.replicas(spec.name).map(({ id }) => id);
}

function plan(spec: ServiceSpec) {
  return planApply(world.state, applyOf(spec, { pairing: "p2" }), world.now);
}

describe("in place", () => {
  const profile = web().profile;
  test.each<[string, Partial<ServiceSpec>]>([
    ["model", { model: { name: "other", prefix: "/v1" } }],
    ["auth", { auth: false }],
    ["strip_prefix", { stripPrefix: false }],
    ["rate_limits", { rateLimits: [{ prefix: "/", key: { type: "ip_address" }, rps: 5, burst: 0 }] }],
    ["registry_auth", { registryAuth: { username: "u", password: "p" } }],
    ["gateway", { gateway: false }],
    ["https", { https: false }],
    ["priority", { priority: 5 }],
    ["drain_timeout", { drainTimeout: 10 }],
    ["max_surge", { rollout: { ...web().rollout, maxSurge: { percent: 50 } } }],
    ["max_duration", { profile: { ...profile, maxDurationS: 60 } }],
  ])("%s makes a revision, and no replica is touched", (path, over) => {
    const before = running(web());
    expect(plan(web(over))).toMatchObject({ changes: [{ path, way: "in_place" }], placements: [], drained: [] });
    expect(world.apply(web(over))).toMatchObject({ kind: "applied", revision: 2, action: "update" });
    world.settle();
    expect(world.replicas("web").map(({ id, status }) => `${id} ${status}`)).toEqual(before.map((id) => `${id} ready`));
    expect(currentRevision(world.state, world.state.tables.service.byId.get("web")!).spec).toMatchObject(over);
  });

  test("a drain takes as long as the service says now, not as it said when the replica was made", () => {
    running(web());
    world.apply(web({ drainTimeout: 7 }));
    world.apply(serviceSpec("web", [workerGroup(1)], { drainTimeout: 7 }));
    const leaving = world.replicas("web").find(({ status }) => status === "unlisting");
    expect(leaving?.deadline).toBe(world.now + 7_000);
  });

  test("a group that comes is started, and one that goes is drained, the others left alone", () => {
    const more = (names: string[]) =>
      serviceSpec(
        "web",
        names.map((name) => workerGroup(1, { name })),
      );
    const [first, second] = running(more(["a", "b"]));
    expect(plan(more(["b", "c"]))).toMatchObject({
      groups: [
        { name: "b", way: "unchanged" },
        { name: "c", way: "added" },
        { name: "a", way: "removed" },
      ],
      placements: [{ group: "c", host: "a", replicas: 1 }],
      drained: [{ replica: first, host: "a" }],
    });
    expect(world.apply(more(["b", "c"]))).toMatchObject({ kind: "applied", action: "update" });
    for (let round = 0; round < 5; round += 1) {
      world.settle();
      world.advance(3_000);
    }
    expect(world.summary("web")).toEqual(["b:ready", "c:ready"]);
    expect(world.replicas("web").map(({ id }) => id)).toContain(second);
  });

  test("workers that come understand those that are there, though a group came with them", () => {
    running(pd());
    const wider = serviceSpec("pd", [routerGroup(), prefillGroup(2), decodeGroup(1), decodeGroup(1, { name: "more" })]);
    expect(world.input(applyOf(wider, { pairing: "p2" }))).toMatchObject({ kind: "applied" });
    world.settle();
    const router = world.desired("pd").find((job) => job.role === "router");
    expect(router?.workers).toHaveLength(4);
    expect(new Set(router?.workers.map(({ labels }) => labels.pairing_protocol))).toEqual(new Set(["p1"]));
  });
});

describe("while rolling updates are missing", () => {
  const refused = (spec: ServiceSpec) => {
    const answer = world.apply(spec);
    expect(answer).toMatchObject({ kind: "refused", code: "conflict" });
    const planned = plan(spec);
    expect(planned.answer).toEqual(answer);
    return { message: answer.kind === "refused" ? answer.message : "", planned };
  };

  test("what needs new replicas is refused, and the plan says the same words and shows all changes", () => {
    running(web());
    const { message, planned } = refused(web({ auth: false, user: "1000" }, { image: "x" }));
    expect(message).toBe(
      "service web is running. user, image can change only with new replicas (rolled), and this version cannot replace " +
        "them while they serve. To have it now: headrace stop web, then apply again; nobody is served in between",
    );
    expect(planned.changes.map(({ path, way }) => `${path} ${way}`)).toEqual([
      "auth in_place",
      "user rolled",
      "image rolled",
    ]);
    expect(planned.groups).toEqual([{ name: "worker", way: "rolled" }]);
  });

  test("a router that comes, goes or is of another kind", () => {
    running(pd());
    expect(refused(serviceSpec("pd", [prefillGroup(1), decodeGroup(1)])).message).toContain(
      "group router cannot change while it runs",
    );
    const dynamo = [routerGroup({ router: { type: "dynamo", generated: null } }), prefillGroup(1), decodeGroup(1)];
    const [change] = plannedChanges(
      { spec: pd(), sealed: {}, secrets: {}, images: {}, files: [] },
      { spec: serviceSpec("pd", dynamo), sealed: {}, secrets: {}, images: {}, files: [] },
    );
    expect(change).toMatchObject({ path: "router.type", way: "replaced", groups: ["router"] });
  });

  test("another image of the server's settings, for a group that names none", () => {
    const before = { spec: web(), sealed: {}, secrets: {}, images: { worker: "python:3.11" }, files: [] };
    expect(plannedChanges(before, { ...before, images: { worker: "python:3.12" } })).toMatchObject([
      { path: "image", way: "rolled", groups: ["worker"], from: "python:3.11", to: "python:3.12" },
    ]);
    expect(plannedChanges(before, before)).toEqual([]);
    // What the file says is told as the file's.
    const own = web({}, { image: "mine" });
    expect(plannedChanges(before, { ...before, spec: own, images: {} })).toMatchObject([
      { from: "(none)", to: "mine" },
    ]);
  });

  test("a stopped service takes any change, made anew", () => {
    running(web());
    world.input({ kind: "stop", service: "web" });
    for (let round = 0; round < 5; round += 1) {
      world.settle();
      world.advance(3_000);
    }
    const planned = plan(web({}, { image: "x" }));
    expect(planned.answer).toMatchObject({ kind: "applied", revision: 2 });
    expect(planned.changes).toMatchObject([{ path: "image", way: "replaced" }]);
    expect(planned.groups).toEqual([{ name: "worker", way: "added" }]);
  });
});

test("a plan leaves the state as it is", () => {
  running(web());
  const { version } = world.state;
  const before = structuredClone(world.replicas("web"));
  plan(serviceSpec("web", [workerGroup(5)]));
  expect(world.state.version).toBe(version);
  expect(world.replicas("web")).toEqual(before);
});

test("docs/plan.md has every field, in a row with its way", async () => {
  const docs = await readFile(new URL("../../../docs/plan.md", import.meta.url), "utf8");
  const rows = [...docs.matchAll(/^\| (`.*) \| (in place|rolled|replaced)\b.* \| .* \|$/gm)].flatMap(
    ([, fields, way]) =>
      [...(fields ?? "").matchAll(/`(\w+)`/g)].map(([, field]) => `${field} ${way?.replace(" ", "_")}`),
  );
  const written = (key: string) => key.replace(/S$/, "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const { rollout, ...service } = WAYS.service;
  const ways = Object.entries({ ...service, ...WAYS.profile, ...WAYS.group, maxSurge: rollout, canary: rollout });
  expect(ways.map(([key, way]) => `${written(key)} ${way}`).filter((row) => !rows.includes(row))).toEqual([]);
  expect(new Set(rows).size).toBe(rows.length);
});
