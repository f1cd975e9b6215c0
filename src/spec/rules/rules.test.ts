import { describe, expect, test } from "vitest";
import { parseConfig } from "../parse.ts";

const head = "type: service\nname: demo\nport: 8000\n";
const run = "commands: [run]";

type Case = [text: string, ...issues: [path: string, words: string][]];

/** Every rule across fields: what is written below `head`, and each place that is refused. */
const refused: Record<string, Case[]> = {
  "a service has something to run": [
    ["", ["", "nothing to run"]],
    ["commands: []", ["", "nothing to run"]],
    ["groups: [{replicas: 1}]", ["groups[0].commands", "nothing to run"]],
    ["groups: [{replicas: 1, commands: []}]", ["groups[0].commands", "nothing to run"]],
  ],
  "groups are a list with something in it, in one spelling": [
    ["image: x\ngroups: []", ["groups", "is empty"]],
    ["image: x\nreplicas: []", ["replicas", "is empty"]],
    ["image: x\ngroups: [{replicas: 1}]\nreplicas: 2", ["replicas", "beside `groups`"]],
    ["image: x\ngroups: {a: {replicas: 1}}", ["groups", "Found a mapping where a list belongs"]],
    [`image: x\ngroups: [${"{replicas: 1}, ".repeat(65)}]`, ["groups", "at most 64"]],
  ],
  "groups have different names, their position where none is written": [
    ["image: x\ngroups: [{name: a, replicas: 1}, {name: a, replicas: 1}]", ["groups[1].name", "named `a`"]],
    ['image: x\ngroups: [{name: "1", replicas: 1}, {replicas: 1}]', ["groups[1]", "named `1`"]],
  ],
  "a group says how many it is": [["image: x\ngroups: [{name: a}]", ["groups[0].count", "does not say how many"]]],
  "a range goes with scaling, a number without": [
    ["image: x\nreplicas: 1..2", ["replicas", "write `scaling`"]],
    ["image: x\nreplicas: {min: 1, max: 2}", ["replicas", "write `scaling`"]],
    ["image: x\nscaling: {metric: rps, target: 1}", ["scaling", "fixed number"]],
    ["image: x\nreplicas: 2..2\nscaling: {metric: rps, target: 1}", ["scaling", "fixed number"]],
    ["image: x\ngroups: [{replicas: 0..2}]", ["groups[0].replicas", "write `scaling`"]],
    ["image: x\nreplicas: 4..2", ["replicas", "below its start"]],
    ["image: x\nreplicas: {min: 4}", ["replicas", "no upper end"]],
    ["image: x\nreplicas: {}", ["replicas", "no end at all"]],
  ],
  "with groups, commands and scaling stand in them": [
    [`${run}\nimage: x\ngroups: [{replicas: 1}]`, ["commands", "move it into the groups"]],
    ["image: x\ngroups: [{replicas: 1}]\nscaling: {metric: rps, target: 1}", ["scaling", "move it into the groups"]],
  ],
  "image settings stand on one level": [
    ["image: x\ngroups: [{replicas: 1, image: y}]", ["groups[0].image", "on the service and on this group"]],
    [
      `privileged: true\ngroups: [{replicas: 1, privileged: true, ${run}}]`,
      ["groups[0].privileged", "on the service and"],
    ],
    [`docker: true\ngroups: [{replicas: 1, docker: true, ${run}}]`, ["groups[0].docker", "on the service and"]],
    [`python: 3.12\ngroups: [{replicas: 1, python: 3.12, ${run}}]`, ["groups[0].python", "on the service and"]],
    [`nvcc: true\ngroups: [{replicas: 1, nvcc: true, ${run}}]`, ["groups[0].nvcc", "on the service and"]],
  ],
  "image sources do not cross levels": [
    ["image: x\ngroups: [{replicas: 1, docker: true}]", ["groups[0].docker", "exclude each other"]],
    ["image: x\ngroups: [{replicas: 1, python: 3.12}]", ["groups[0].python", "exclude each other"]],
    ["image: x\ngroups: [{replicas: 1, nvcc: true}]", ["groups[0].nvcc", "exclude each other"]],
    ["docker: true\ngroups: [{replicas: 1, image: x}]", ["groups[0].image", "exclude each other"]],
    [`docker: true\ngroups: [{replicas: 1, python: 3.12, ${run}}]`, ["groups[0].python", "exclude each other"]],
    [`docker: true\ngroups: [{replicas: 1, nvcc: true, ${run}}]`, ["groups[0].nvcc", "exclude each other"]],
    ["python: 3.12\ngroups: [{replicas: 1, image: x}]", ["groups[0].image", "exclude each other"]],
    [`python: 3.12\ngroups: [{replicas: 1, docker: true, ${run}}]`, ["groups[0].docker", "exclude each other"]],
    ["nvcc: true\ngroups: [{replicas: 1, image: x}]", ["groups[0].image", "exclude each other"]],
    [`nvcc: true\ngroups: [{replicas: 1, docker: true, ${run}}]`, ["groups[0].docker", "exclude each other"]],
  ],
  "image settings of one level agree": [
    ["image: x\npython: 3.12", ["python", "exclude each other"]],
    ["image: x\ndocker: true", ["docker", "exclude each other"]],
    [`python: 3.12\ndocker: true\n${run}`, ["docker", "exclude each other"]],
    [`nvcc: true\ndocker: true\n${run}`, ["docker", "exclude each other"]],
    [`docker: true\nprivileged: no\n${run}`, ["privileged", "remove `privileged: false`"]],
    [`groups: [{replicas: 1, image: x, python: 3.12, ${run}}]`, ["groups[0].python", "exclude each other"]],
  ],
  "where arguments are all there is, there are some": [
    ["commands: ['${{ run.args }}']", ["commands", "no arguments were given"]],
    ["groups: [{replicas: 1, commands: [' ${{run.args}} ']}]", ["groups[0].commands", "no arguments were given"]],
  ],
  "no group waits for itself, be it through others": [
    [
      "image: x\ngroups: [{replicas: 1, commands: ['${{ groups[1].replicas[0].IP_ADDRESS }}']}, {replicas: 1, commands: ['${{ groups[0].replicas[0].IP_ADDRESS }}']}]",
      ["groups[0].commands[0]", "which waits for groups[0]"],
      ["groups[1].commands[0]", "which waits for groups[1]"],
    ],
  ],
  "one group routes": [
    [
      "image: x\ngroups: [{replicas: 1, router: {}}, {replicas: 1, router: {type: smg}}]",
      ["groups[1].router", "Only one group"],
    ],
    ["image: x\ngroups: [{replicas: 2, router: {type: dynamo}}]", ["groups[0].replicas", "exactly one"]],
    ["image: x\ngroups: [{count: 0, router: {type: smg}}]", ["groups[0].count", "at least one"]],
    [
      "image: x\ngroups: [{count: 1..2, router: {}, scaling: {metric: rps, target: 1}}]",
      ["groups[0].count", "fixed number"],
    ],
    ["image: x\ngroups: [{count: 1, role: router}]", ["groups[0].role", "`router: {type: smg}`"]],
    ["image: x\ngroups: [{count: 1, role: decode, router: {}}]", ["groups[0].role", "remove one of them"]],
  ],
};

describe.each(Object.entries(refused))("%s", (_rule, cases) => {
  test.each(cases)("%s", (text, ...issues) => {
    const config = parseConfig(`${head}${text}\n`, "test.yml");
    expect(config.issues.map(({ path }) => path)).toEqual(issues.map(([path]) => path));
    for (const [index, [, words]] of issues.entries()) expect(config.issues[index]?.message).toContain(words);
  });
});

describe("what no rule forbids", () => {
  test.each([
    "image: x",
    run,
    `${run}\nimage: x`,
    "image: x\nreplicas: 0",
    "image: x\nreplicas: 0..2\nscaling: {metric: rps, target: 0.5, window: 5m}",
    "image: x\ndocker: false\nnvcc: false",
    `docker: true\nprivileged: true\n${run}`,
    "image: x\ngroups: [{replicas: 2, router: {type: smg}}]",
    "image: x\ngroups: [{replicas: 1, router: {type: dynamo}}]",
    "image: x\ngroups: [{replicas: 1, router: {}, role: router}]",
    "groups: [{replicas: 1, image: x}, {replicas: 1, image: y}]",
    `python: 3.12\ngroups: [{replicas: 1, nvcc: true, ${run}}]`,
  ])("%s", (text) => {
    expect(parseConfig(`${head}${text}\n`, "test.yml").issues).toEqual([]);
  });
});

test("commands are no longer with their arguments than a shell takes", () => {
  const text = `${head}commands: ["${"${{ run.args }} ".repeat(100)}"]\n`;
  const [issue, ...others] = parseConfig(text, "test.yml", { args: ["x".repeat(2000)] }).issues;
  expect(issue).toMatchObject({ path: "commands", message: expect.stringContaining("which no shell takes") });
  expect(others).toEqual([]);
  expect(parseConfig(text, "test.yml", { args: ["x"] }).issues).toEqual([]);
});
