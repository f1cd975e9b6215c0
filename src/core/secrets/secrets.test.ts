import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { applyOf } from "../../../test/support/inputs.ts";
import { serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import type { EnvSpec, GroupSpec } from "../../spec/types.ts";
import type { Input } from "../input.ts";
import { ROUTE_CACHE_MS, SECRETS_PER_PROJECT_MAX, SECRETS_PER_SERVICE_MAX } from "../limits.ts";
import { step } from "../step.ts";

let world: World;
beforeEach(() => {
  world = new World();
  world.addHost("a");
});

const set = (name: string, version: string) => world.input({ kind: "secret_set", name, version, actor: "ann" });
const remove = (name: string) => world.input({ kind: "secret_deleted", name });
const withEnv = (env: EnvSpec, over: Partial<GroupSpec> = {}) => serviceSpec("w", [workerGroup(1, { env, ...over })]);
const withToken = withEnv({ HF_TOKEN: "${{ secrets.TOKEN }}" });
const apply = (version: string | null, spec = withToken) =>
  world.apply(spec, {}, null, version === null ? {} : { TOKEN: version });
const told = (type: string) => world.events.filter((event) => event.type === type).map(({ message }) => message);

function stopped(): void {
  world.input({ kind: "stop", service: "w" });
  world.settle();
  world.advance(ROUTE_CACHE_MS);
  world.settle();
  expect(world.state.tables.service.byId.get("w")?.status).toBe("stopped");
}

describe("a secret", () => {
  test("is known by its name, its version, and who set it when", () => {
    expect(set("TOKEN", "v1")).toEqual({ kind: "done" });
    const secret = { kind: "secret", id: "TOKEN", version: "v1", setAt: 1_000_000, setBy: "ann" };
    expect(world.state.tables.secret.byId.get("TOKEN")).toEqual(secret);
    set("TOKEN", "v2");
    set("TOKEN", "v2");
    expect(told("secret.set")).toEqual([
      "secret TOKEN was set",
      "secret TOKEN has another value",
      "secret TOKEN was set to the same value",
    ]);
  });

  test("is one of so many", () => {
    for (let i = 0; i < SECRETS_PER_PROJECT_MAX; i += 1) set(`S${i}`, "v");
    expect(set("ONE_MORE", "v")).toMatchObject({ kind: "refused", code: "too_many" });
    expect(set("S0", "v2")).toEqual({ kind: "done" });
    expect(remove("S1")).toEqual({ kind: "done" });
    expect(set("ONE_MORE", "v")).toEqual({ kind: "done" });
  });

  test("is one of so many that one service uses: each is kept once more for each service", () => {
    const names = Array.from({ length: SECRETS_PER_SERVICE_MAX + 1 }, (_, i) => `S${i}`);
    for (const name of names) set(name, "v");
    const using = (used: string[]) => {
      const env = Object.fromEntries(used.map((name) => [name, `\${{ secrets.${name} }}`]));
      return world.apply(withEnv(env), {}, null, Object.fromEntries(used.map((name) => [name, "v"])));
    };
    expect(using(names)).toMatchObject({
      kind: "refused",
      code: "invalid_config",
      message: expect.stringContaining("65"),
    });
    expect(using(names.slice(1))).toMatchObject({ kind: "applied" });
  });

  test("goes with its sealed value, once nothing that runs names it", () => {
    set("TOKEN", "v1");
    apply("v1");
    world.settle();
    expect(remove("TOKEN")).toMatchObject({ kind: "refused", code: "conflict", message: expect.stringContaining("w") });
    stopped();
    const result = step(world.state, [{ kind: "secret_deleted", name: "TOKEN" }], world.now);
    expect(result.unusedSecrets).toEqual(["secret/TOKEN"]);
    expect(remove("TOKEN")).toEqual({ kind: "done" });
    expect(remove("TOKEN")).toMatchObject({ kind: "refused", code: "not_found" });
  });

  test("that is deleted and set again in one step keeps its value", () => {
    set("TOKEN", "v1");
    const inputs: Input[] = [
      { kind: "secret_deleted", name: "TOKEN" },
      { kind: "secret_set", name: "TOKEN", version: "v2", actor: "ann" },
    ];
    expect(step(world.state, inputs, world.now).unusedSecrets).toEqual([]);
    expect(step(world.state, inputs.toReversed(), world.now).unusedSecrets).toEqual(["secret/TOKEN"]);
  });
});

describe("an apply that names a secret", () => {
  test("is refused with the place and the command where the project does not have it", () => {
    expect(apply(null)).toEqual({
      kind: "refused",
      code: "invalid_config",
      message: "env.HF_TOKEN: the project has no secret TOKEN; set it first (headrace secret set TOKEN)",
    });
    expect(apply("v1")).toMatchObject({ kind: "refused", code: "invalid_config" });
  });

  test("is refused where the value was replaced after it was read", () => {
    set("TOKEN", "v2");
    expect(apply("v1")).toMatchObject({ kind: "refused", code: "conflict", message: expect.stringContaining("TOKEN") });
    expect(apply("v2")).toMatchObject({ kind: "applied" });
  });

  test("keeps the value that it was applied with, until the next apply, which says so", () => {
    set("TOKEN", "v1");
    apply("v1");
    world.settle();
    const env = () => world.desired("w")[0]?.launch.env.HF_TOKEN;
    expect(env()).toBe("<pinned/w/TOKEN/v1>");
    set("TOKEN", "v2");
    world.settle();
    expect(env()).toBe("<pinned/w/TOKEN/v1>");
    expect(apply("v2")).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("env.HF_TOKEN"),
    });
    stopped();
    expect(apply("v2")).toMatchObject({ kind: "applied", action: "create", revision: 2 });
    world.settle();
    expect(env()).toBe("<pinned/w/TOKEN/v2>");
  });

  test("gives up the copies of a revision that is gone, and keeps those of the one that stays", () => {
    set("TOKEN", "v1");
    apply("v1");
    world.settle();
    stopped();
    set("TOKEN", "v2");
    const again = applyOf(withToken, { secrets: { TOKEN: "v2" } });
    expect(step(world.state, [again], world.now).unusedSecrets).toEqual(["pinned/w/TOKEN/v1"]);
    // What was sealed for an apply that is void by the end of the step goes at once.
    const deleted: Input = { kind: "delete", service: "w" };
    const names = ["pinned/w/TOKEN/v1", "pinned/w/TOKEN/v2"];
    expect(step(world.state, [{ ...again, expectedRevision: 7 }, deleted], world.now).unusedSecrets).toEqual(names);
    expect(step(world.state, [deleted, again], world.now).unusedSecrets).toEqual(["pinned/w/TOKEN/v1"]);
  });
});

describe("what a job is told", () => {
  const probe = {
    type: "http" as const,
    url: "/health?key=${{ env.KEY }}",
    method: "post" as const,
    headers: [{ name: "Authorization", value: "Bearer ${{ env.HF_TOKEN }}" }],
    body: '{"price": "$$5", "mode": "${{ env.MODE }}"}',
    timeout: 1,
    interval: 1,
    readyAfter: 1,
    untilReady: false,
  };

  test("is filled in wherever it stands, in the environment and in what probes send", () => {
    set("TOKEN", "v1");
    const env = { KEY: null, HF_TOKEN: "hf_${{ secrets.TOKEN }}!", MODE: "a$$b", RUN_NAME: "$5" };
    world.apply(withEnv(env, { probes: [probe] }), { KEY: "k1" }, null, { TOKEN: "v1" });
    world.settle();
    const [job] = world.desired("w");
    expect(job?.launch.env).toMatchObject({
      KEY: "<env/w/KEY/k1>",
      HF_TOKEN: "hf_<pinned/w/TOKEN/v1>!",
      MODE: "a$b",
      RUN_NAME: "$5",
    });
    expect(job?.probes).toMatchObject([
      {
        path: "/health?key=<env/w/KEY/k1>",
        headers: [{ name: "Authorization", value: "Bearer hf_<pinned/w/TOKEN/v1>!" }],
        body: '{"price": "$5", "mode": "a$b"}',
      },
    ]);
  });

  test("by a default probe is the model's name, whatever it holds", () => {
    world.apply({ ...withEnv({}), model: { name: "a$$b${{", prefix: "/v1" } });
    world.settle();
    expect(JSON.parse(world.desired("w")[0]?.probes[0]?.body ?? "")).toMatchObject({ model: "a$$b${{" });
  });
});
