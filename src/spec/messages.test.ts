import { describe, expect, test } from "vitest";
import { MAX_ISSUES } from "./limits.ts";
import { parseConfig } from "./parse.ts";

const head = "type: service\nname: demo\nport: 8000\nimage: x\n";

function issuesOf(text: string): string[] {
  return parseConfig(text, "test.yml").issues.map(
    ({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`,
  );
}

describe("each message names the place, what was found and what to write", () => {
  test.each([
    ["auth: maybe", "5:7 auth: Found `maybe` where true or false belongs; write for example `auth: false`."],
    [
      "auth: 010",
      "5:7 auth: Without quotes `010` is the number `8` to YAML 1.1 and the number `10` to YAML 1.2 where true or false belongs; write for example `auth: false`.",
    ],
    [
      "model: yes",
      '5:8 model: Without quotes `yes` is the boolean `true` to YAML 1.1 and the text `yes` to YAML 1.2; write `"yes"` or `"true"`, whichever is meant.',
    ],
    [
      "model: 1.10",
      '5:8 model: Without quotes `1.10` is the number `1.1` to YAML; write `"1.10"` or `"1.1"`, whichever is meant.',
    ],
    ["model: true", '5:8 model: Found the boolean `true` where text belongs; write `"true"` in quotes if it is meant.'],
    [
      "resources: {cpu: 010}",
      "5:18 resources.cpu: Without quotes `010` is the number `8` to YAML 1.1 and the number `10` to YAML 1.2; write `8` or `10`, whichever is meant.",
    ],
    [
      "resources: {disk: 2024-01-01}",
      '5:19 resources.disk: Without quotes `2024-01-01` is a date to YAML 1.1 and the text `2024-01-01` to YAML 1.2; write `"2024-01-01"`.',
    ],
    [
      "resources: {gpu: 1:30}",
      '5:18 resources.gpu: Without quotes `1:30` is the number `90` to YAML 1.1 and the text `1:30` to YAML 1.2; write `90` or `"1:30"`, whichever is meant.',
    ],
    [
      "probes: off",
      "5:9 probes: Found `off` where a list belongs; write for example `probes: [{type: http, url: /health}]`.",
    ],
    [
      "commands: [a, ]\nvolumes: [~]",
      '6:11 volumes[0]: Found nothing where text or a mapping belongs; write for example `volumes: ["/mnt/models:/models"]`.',
    ],
    [
      "replicas: 1..2\nscaling: fast",
      "6:10 scaling: Found `fast` where a mapping belongs; write for example `scaling: {metric: rps, target: 3}`.",
    ],
    ["resources:\n  disk: {siz: 1}", "6:10 resources.disk.siz: `siz` is unknown here; did you mean `size`?"],
    ["zzzzzz: 1\nmodel: {name: a, format: openai, zzz: 1}", "5:1 zzzzzz: `zzzzzz` is unknown here; known are "],
    ["count: 2", "5:1 count: `count` belongs to a group; for the service as a whole write `replicas`."],
    [
      "env:\n  A:",
      '6:3 env.A: `A` has no value; write `A: ""` if it shall be empty, or use the list form (`- A`) to pass it on.',
    ],
    ["env: [~]", "5:7 env[0]: Found nothing where text belongs; write for example `env: [HF_TOKEN, "],
    ['commands: ["  "]', "5:12 commands[0]: This command is empty; write a command or remove the line."],
    ['commands: ["a\\0b"]', "5:12 commands[0]: This holds a NUL character, which no program can be given; remove it."],
    [
      "commands: pip install smg",
      "5:11 commands: Found `pip install smg` where a list belongs; write for example `commands: [",
    ],
    [
      "replicas: 1..2\nscaling: {metric: cpu, target: 0, window: 45s}",
      "6:19 scaling.metric: `cpu` is not `rps`; write for example `metric: rps`.",
    ],
    ["<<: 5", "5:1 : `<<` merges mappings; "],
    ["? [a]\n: 1", "5:3 : This key is empty, a list or a mapping; "],
    ["on: 1", "5:1 : `on` cannot be a key as it stands; "],
    ["__proto__: 1", "5:1 : `__proto__` cannot be a key as it stands; "],
    ["auth: !!bool false", "5:14 : A `!` makes a tag of what follows it, and tags are not supported; "],
    [
      "auth: *nothing",
      "5:7 : A `*` makes an alias of what follows it, and no anchor (`&`) of that name stands above; ",
    ],
    ["env: &a [*a]", "5:10 : This alias stands for a value that it is part of; write the value out."],
  ])("%s", (text, message) => {
    expect(issuesOf(`${head}${text}\n`)[0]).toContain(message);
  });
});

describe("documents that are no configuration", () => {
  test.each([
    ["", "1:1 : test.yml is empty; "],
    ["# only a comment\n", "1:1 : test.yml is empty; "],
    ["~", "1:1 : The document is not a mapping; "],
    ["- a\n", "1:1 : The document is not a mapping; "],
    ["servce\n", "1:1 : The document is not a mapping; "],
    ["type: servce\n", "1:7 type: `servce` is no type of configuration; did you mean `service`?"],
    ["type: yes\n", "1:7 type: `yes` is no type of configuration; write `type: service`."],
    ["name: a\n", "1:1 type: `type` is missing: "],
    ["x".repeat(200_000), "1:1 : test.yml has 200000 characters; "],
    ["a: 1\n".repeat(6_000), "1:1 : test.yml has more than 20000 words and signs, "],
    [`a: ${"[".repeat(40)}${"]".repeat(40)}`, "1:35 : Mappings and lists are nested more than 32 deep; "],
  ])("%j", (text, message) => {
    expect(issuesOf(text).join("\n")).toContain(message);
  });
});

test("several mistakes are all reported, in the order of the file", () => {
  const places = issuesOf(
    "type: service\nname: A\nprot: 1\nimage: x\npython: 3.12\nauth: maybe\nresources: {memory: 1GiB, gpus: 1}\n",
  );
  expect(places.map((place) => place.split(": ")[0])).toEqual([
    "2:7 name",
    "3:1 prot",
    "5:1 python",
    "6:7 auth",
    "7:21 resources.memory",
    "7:27 resources.gpus",
  ]);
});

test("a hopeless file gets a bounded number of messages", () => {
  const keys = Array.from({ length: 500 }, (_, index) => `key${index}: 1`);
  expect(issuesOf(`${head}${keys.join("\n")}`)).toHaveLength(MAX_ISSUES);
});

test("values of env are never repeated", () => {
  const secrets = [
    "!hunter2",
    "*hunter2",
    "@hunter2",
    '"\\qhunter2"',
    "hunter2: [x]",
    "hunter2: {a: b}",
    "0123",
    "!x hunter2",
    "hunter2 ${{ open",
  ];
  for (const secret of secrets) {
    for (const text of [
      `env: {KEY: ${secret}}`,
      `env: [${secret}]`,
      "env: hunter2",
      `probes: [{type: http, headers: [{name: A, value: ${secret}}]}]`,
      `env:\n  - KEY=a\n  - KEY=hunter2\n  - 9hunter2`,
    ]) {
      expect(issuesOf(`${head}${text}\n`).join("\n")).not.toMatch(/hunter2|0123/);
    }
  }
});

test.each([
  ["task", "1:7 type: A task runs until it is done, and Headrace runs services, which stay; "],
  ["dev-environment", "1:7 type: A development environment is a machine to work on, and Headrace runs services; "],
  ["preset", "1:7 type: Headrace keeps no presets; write the fields into the `type: service` "],
])("type: %s", (type, message) => {
  const [issue, ...others] = issuesOf(`type: ${type}\nwhatever: true\n`);
  expect(issue).toContain(message);
  expect(others).toEqual([]);
});

test.each([
  ["['serve $${{ run.args }}']", ["No command has `${{ run.args }}`, so what was given behind `--` goes nowhere."]],
  ["['serve', 'bench ${{ run.args }}']", []],
])("arguments for %s are noted where they go nowhere", (commands, notes) => {
  const text = `type: service\nname: chat\nport: 80\ncommands: ${commands}\n`;
  const parsed = parseConfig(text, "test.yml", { args: ["--tp", "8"] });
  expect(parsed.ok && parsed.notes.map(({ message }) => message)).toEqual(notes);
});

describe("without arguments `${{ run.args }}` is empty", () => {
  const service = (commands: string) => `type: service\nname: demo\nport: 8000\ncommands: ${commands}\n`;

  test("and the rest of a command stays", () => {
    const parsed = parseConfig(service("['serve ${{ run.args }}']"), "test.yml");
    expect(parsed.ok && parsed.type === "service" && parsed.spec.groups[0]?.commands).toEqual(["serve "]);
  });

  test("and a group is refused of which nothing would be left", () => {
    expect(issuesOf(service("['${{ run.args }}']"))).toEqual([
      "4:11 commands: Nothing but `${{ run.args }}` would run, and no arguments were given; write them behind `--` on the command line.",
    ]);
    expect(parseConfig(service("['${{ run.args }}']"), "test.yml", { args: ["serve"] }).issues).toEqual([]);
  });
});
