import { describe, expect, test } from "vitest";
import { diffSpecs } from "./diff.ts";
import { parseConfig } from "./parse.ts";
import type { ServiceSpec } from "./types.ts";

const base = `type: service
name: demo
port: 8000
image: x
env: {A: secret-one, B: same}
groups:
  - name: prefill
    replicas: 1
    commands: [prepare, "run --model a --mode prefill --a-long-option that-says-little --port 8000"]
  - name: decode
    replicas: 2
`;

function specOf(text: string): ServiceSpec {
  const config = parseConfig(text, "test.yml");
  if (!config.ok) throw new Error(JSON.stringify(config.issues));
  return config.spec;
}

function changes(edit: (text: string) => string): string[] {
  return diffSpecs(specOf(base), specOf(edit(base))).map(({ path, from, to }) => `${path}: ${from} -> ${to}`);
}

test("a spec does not differ from itself, however it is written", () => {
  expect(changes((text) => text)).toEqual([]);
  expect(
    changes((text) => text.replace("8000", "'8000'").replace("{A: secret-one, B: same}", "[B=same, A=secret-one]")),
  ).toEqual([]);
});

describe("one entry for each changed field", () => {
  test.each<[string, (text: string) => string, string[]]>([
    ["the port", (text) => text.replace("8000", "9000"), ["port: 8000 -> 9000"]],
    ["a count", (text) => text.replace("replicas: 2", "replicas: 3"), ["groups.decode.count: 2 -> 3"]],
    [
      "a count and its scaling",
      (text) => text.replace("replicas: 2", "replicas: 1..4\n    scaling: {metric: rps, target: 3}"),
      [
        "groups.decode.count: 2 -> 1..4",
        'groups.decode.scaling: (none) -> {"metric":"rps","scaleDownDelay":600,"scaleUpDelay":300,"tar...',
      ],
    ],
    [
      "the image of all",
      (text) => text.replace("image: x", "image: y"),
      ["groups.prefill.image: x -> y", "groups.decode.image: x -> y"],
    ],
    ["a group's end", (text) => text.replace(/ {2}- name: decode[\s\S]*/, ""), ["groups.decode: 2 replicas -> (none)"]],
    ["a new group", (text) => `${text}  - name: more\n    replicas: 1\n`, ["groups.more: (none) -> 1 replicas"]],
    [
      "resources",
      (text) => `${text}    resources: {cpu: 4}\n`,
      [
        'groups.decode.resources.cpu: {"arch":null,"count":{"max":null,"min":2}} -> {"arch":null,"count":{"max":4,"min":4}}',
      ],
    ],
    [
      "a word within a long command",
      (text) => text.replace("--port 8000", "--port 8001"),
      ["groups.prefill.commands[1]: ...ttle --port 8000 -> ...ttle --port 8001"],
    ],
    [
      "a further command",
      (text) => text.replace("[prepare,", "[prepare, again,"),
      [
        "groups.prefill.commands[1]: run --model a --mode prefill --a-long-option that-says-littl... -> again",
        "groups.prefill.commands[2]: (none) -> run --model a --mode prefill --a-long-option that-says-littl...",
      ],
    ],
    ["probes turned off", (text) => `${text}probes: []\n`, ["probes: (none) -> []"]],
  ])("%s", (_what, edit, lines) => {
    expect(changes(edit)).toEqual(lines);
  });
});

test("the order of named groups means nothing", () => {
  const spec = specOf(base);
  expect(diffSpecs(spec, { ...spec, groups: spec.groups.toReversed() })).toEqual([]);
});

test("values of env are not shown", () => {
  expect(changes((text) => text.replace("secret-one", "secret-two"))).toEqual(["env.A: (a value) -> (another value)"]);
  expect(changes((text) => text.replace("{A: secret-one, B: same}", "[A, B=same, C=new]"))).toEqual([
    "env.A: (a value) -> (passed on)",
    "env.C: (none) -> (a value)",
  ]);
});
