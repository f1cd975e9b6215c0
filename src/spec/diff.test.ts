import { describe, expect, test } from "vitest";
import { prefillGroup, serviceSpec, workerGroup } from "../../test/support/specs.ts";
import { diffSpecs } from "./diff.ts";
import { parseConfig } from "./parse.ts";
import type { ServiceSpec } from "./types.ts";

const base = `type: service
name: demo
port: 8000
image: x
env: {A: secret-one, B: same, P: x}
groups:
  - name: prefill
    replicas: 1
    commands: [prepare, "run --model a --mode prefill --port 8000"]
  - name: decode
    replicas: 2
`;

function specOf(text: string): ServiceSpec {
  const config = parseConfig(text, "test.yml");
  if (!config.ok || config.type !== "service") throw new Error(JSON.stringify(config.issues));
  return config.spec;
}

function changes(edit: (text: string) => string): string[] {
  return shown(specOf(base), specOf(edit(base)));
}

function shown(a: ServiceSpec, b: ServiceSpec): string[] {
  return diffSpecs(a, b).map(({ label, from, to }) => `${label}: ${from} -> ${to}`);
}

test("a spec does not differ from itself, however it is written", () => {
  expect(changes((text) => text)).toEqual([]);
  expect(
    changes((text) =>
      text.replace("8000\n", "'8000'\n").replace("{A: secret-one, B: same,", "{B: same, A: secret-one,"),
    ),
  ).toEqual([]);
});

describe("one entry for each changed field", () => {
  test.each<[string, (text: string) => string, string[]]>([
    ["the port of all", (text) => text.replace("port: 8000", "port: 9000"), ["port: 8000 -> 9000"]],
    ["a count", (text) => text.replace("replicas: 2", "replicas: 3"), ["decode.replicas: 2 -> 3"]],
    [
      "a count and its scaling",
      (text) => text.replace("replicas: 2", "replicas: 1..4\n    scaling: {metric: rps, target: 3}"),
      ["decode.replicas: 2 -> 1..4", "decode.scaling: (none) -> rps 3"],
    ],
    ["the image of all", (text) => text.replace("image: x", "image: y"), ["image: x -> y"]],
    ["a group's end", (text) => text.replace(/ {2}- name: decode[\s\S]*/, ""), ["group decode: 2 replicas -> (none)"]],
    ["a new group", (text) => `${text}  - name: more\n    replicas: 1\n`, ["group more: (none) -> 1 replica"]],
    [
      "resources",
      (text) => `${text}    resources: {cpu: 4, gpu: "H100:80GB:2", memory: 1GB..2GB}\n`,
      [
        "decode.resources.cpu: 2.. -> 4",
        "decode.resources.memory: 8GB.. -> 1GB..2GB",
        "decode.resources.gpu: (none) -> H100:80GB:2",
      ],
    ],
    [
      "a flag of a launch line",
      (text) => text.replace("--port 8000", "--port 8001"),
      ["prefill.commands: --port 8000 -> --port 8001"],
    ],
    [
      "a further command",
      (text) => text.replace("[prepare,", "[prepare, again,"),
      ["prefill.commands: (none) -> again"],
    ],
    ["probes turned off", (text) => `${text}probes: []\n`, ["probes: (the default) -> (none)"]],
    ["a time", (text) => `${text}stop_duration: 90s\n`, ["stop_duration: 5m -> 90s"]],
  ])("%s", (_what, edit, lines) => {
    expect(changes(edit)).toEqual(lines);
  });
});

test("names of fields are those of the language", () => {
  const a = serviceSpec("demo", [workerGroup(1)]);
  const b = {
    ...a,
    stripPrefix: false,
    rollout: { ...a.rollout, maxSurge: { percent: 20 } },
    profile: { ...a.profile, maxDurationS: 3_600, spotPolicy: "spot" as const },
    groups: [workerGroup(1, { spotPolicy: "spot" })],
  };
  expect(shown(a, b)).toEqual([
    "strip_prefix: true -> false",
    "max_surge: 1 -> 20%",
    "max_duration: off -> 1h",
    "spot_policy: on-demand -> spot",
  ]);
});

test("several changed lines of commands are marked, with what is near", () => {
  const [change] = diffSpecs(
    serviceSpec("demo", [workerGroup(1, { commands: ["pip install smg", "serve --a 1 \\\n  --b 2 --c 3 --d 4 -x"] })]),
    serviceSpec("demo", [workerGroup(1, { commands: ["pip install smg", "serve --a 1 --b 5 --c 3 --d 4 -y --z"] })]),
  );
  expect(change).toMatchObject({ path: "commands", from: "--b 2 -x", to: "--b 5 -y --z" });
  expect(change?.lines).toEqual(["  --a 1", "- --b 2", "+ --b 5", "  --c 3", "  --d 4", "- -x", "+ -y", "+ --z"]);
});

test("what is the same in some groups and not in all names them", () => {
  const groups = (image: string) => [
    prefillGroup(1, { image }),
    workerGroup(1, { image }),
    workerGroup(1, { name: "c" }),
  ];
  expect(shown(serviceSpec("demo", groups("x")), serviceSpec("demo", groups("y")))).toEqual([
    "prefill,worker.image: x -> y",
  ]);
});

test("a group that becomes the router, and a router of another kind", () => {
  const plain = serviceSpec("demo", [workerGroup(1)]);
  const routed = (type: "smg" | "dynamo") =>
    serviceSpec("demo", [workerGroup(1, { router: { type, generated: null } })]);
  expect(diffSpecs(plain, routed("smg"))).toMatchObject([
    { field: { of: "router", key: "presence" }, path: "router", from: "(none)", to: "smg" },
  ]);
  expect(diffSpecs(routed("smg"), routed("dynamo"))).toMatchObject([
    { field: { of: "router", key: "type" }, path: "router.type", from: "smg", to: "dynamo" },
  ]);
});

test("the order of named groups means nothing", () => {
  const spec = specOf(base);
  expect(diffSpecs(spec, { ...spec, groups: spec.groups.toReversed() })).toEqual([]);
});

test("huge commands are compared in bounded time, and shown in bounded length", () => {
  const of = (word: string) => Array.from({ length: 20_000 }, (_, i) => `${word} ${i}`);
  const [change] = diffSpecs(
    serviceSpec("demo", [workerGroup(1, { commands: of("a") })]),
    serviceSpec("demo", [workerGroup(1, { commands: of("b") })]),
  );
  expect(change?.lines.length).toBeLessThan(30);
  expect(change?.lines.at(-1)).toBe("  ... and 39976 more lines");
});

describe("what may be a key is not shown", () => {
  test("values of env", () => {
    expect(changes((text) => text.replace("secret-one", "secret-two"))).toEqual([
      "env.A: (a value) -> (another value)",
    ]);
    expect(changes((text) => text.replace("{A: secret-one, B: same, P: x}", "[A, B=same, P=x, C=new]"))).toEqual([
      "env.A: (a value) -> (passed on)",
      "env.C: (none) -> (a value)",
    ]);
  });

  test("passed-through values that are others now, in the groups that get them", () => {
    const spec = serviceSpec("demo", [workerGroup(1, { env: { KEY: null } }), prefillGroup(1, { env: { KEY: "x" } })]);
    expect(diffSpecs(spec, spec, { env: new Set(["KEY"]), secrets: new Set() })).toMatchObject([
      { label: "worker.env.KEY", groups: ["worker"], from: "(passed on)", to: "(another value)" },
    ]);
  });

  test("secrets that have other values now, where they are named", () => {
    const env = {
      KEY: "${{ secrets.ONE }}",
      URL: "${{ secrets.ONE }}:${{ secrets.TWO }}",
      OTHER: "${{ secrets.THREE }}",
    };
    const login = { username: "robot", password: "${{ secrets.TWO }}" };
    const spec = serviceSpec("demo", [workerGroup(1, { env })], { registryAuth: login });
    const changed = diffSpecs(spec, spec, { env: new Set(), secrets: new Set(["ONE", "TWO"]) });
    expect(changed.map(({ label, from, to }) => `${label}: ${from} -> ${to}`)).toEqual([
      "registry_auth: (a login) -> (the secret TWO has another value)",
      "env.KEY: (a value) -> (the secret ONE has another value)",
      "env.URL: (a value) -> (the secrets ONE, TWO have other values)",
    ]);
  });

  test("logins, and headers and bodies of probes", () => {
    const probe = {
      type: "http" as const,
      url: "/health",
      method: "get" as const,
      headers: [{ name: "Authorization", value: "one" }],
      body: "one",
      timeout: 5,
      interval: 10,
      readyAfter: 1,
      untilReady: false,
    };
    const a = serviceSpec("demo", [workerGroup(1, { probes: [probe] })], {
      registryAuth: { username: "u", password: "one" },
    });
    const other = { ...probe, headers: [{ name: "Authorization", value: "two" }], body: "two" };
    const b = serviceSpec("demo", [workerGroup(1, { probes: [other] })], {
      registryAuth: { username: "u", password: "two" },
    });
    expect(shown(a, b)).toEqual([
      "registry_auth: (a login) -> (a login), with other details",
      "probes: GET /health every 10s -> GET /health every 10s, with other details",
    ]);
  });
});
