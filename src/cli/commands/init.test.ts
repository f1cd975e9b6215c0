import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { resolveGroup } from "../../adapters/index.ts";
import { parseConfig } from "../../spec/index.ts";
import { EXIT } from "../exit-codes.ts";
import { firstFile, nameOf } from "../first-file.ts";
import { Cli } from "../testing/run.ts";

async function setUp() {
  const cli = await Cli.create();
  return Object.assign(cli, { file: join(cli.home, "service.yml") });
}

test("asks, writes a file that is valid, and says what is next", async () => {
  await using cli = await setUp();
  cli.terminal = true;
  cli.typed = ["zai-org/GLM-4.5-Air-FP8", "H200:4", "y", "2"];
  const { code, out, err } = await cli.run("init", "-f", cli.file);
  expect(code).toBe(EXIT.ok);
  expect(err).toContain("Which model? [Qwen/Qwen3-8B] ");
  expect(out).toBe(`Wrote ${cli.file}. Next: \`headrace plan -f ${cli.file}\`.\n`);
  const parsed = parseConfig(await readFile(cli.file, "utf8"), cli.file);
  expect(parsed).toMatchObject({ ok: true, type: "service", notes: [] });
  if (!parsed.ok || parsed.type !== "service") return;
  expect(parsed.spec).toMatchObject({ name: "glm-4-5-air-fp8", model: { name: "zai-org/GLM-4.5-Air-FP8" } });
  expect(parsed.spec.groups.map(({ name, count }) => `${name} ${count.max}`)).toEqual([
    "router 1",
    "prefill 1",
    "decode 2",
  ]);
});

test("-y asks nothing and takes what the flags say", async () => {
  await using cli = await setUp();
  expect((await cli.run("init", "-f", cli.file, "-y", "--gpus", "none", "--name", "mine")).code).toBe(EXIT.ok);
  const parsed = parseConfig(await readFile(cli.file, "utf8"), cli.file);
  expect(parsed).toMatchObject({ ok: true, spec: { name: "mine", groups: [{ name: "worker", router: null }] } });
});

test("overwrites nothing unless told to", async () => {
  await using cli = await setUp();
  await writeFile(cli.file, "mine");
  const { code, err } = await cli.run("init", "-f", cli.file, "-y");
  expect(code).toBe(EXIT.failed);
  expect(err).toContain("--force");
  expect(await readFile(cli.file, "utf8")).toBe("mine");
  expect((await cli.run("init", "-f", cli.file, "-y", "--force")).code).toBe(EXIT.ok);
  expect(await readFile(cli.file, "utf8")).not.toBe("mine");
});

describe("what is not written", () => {
  test("a file in a folder that is not there, or in none, or in the place of one, in words", async () => {
    await using cli = await setUp();
    await writeFile(cli.file, "mine");
    const missing = join(cli.home, "missing", "deep");
    for (const [file, why] of [
      [join(missing, "service.yml"), `there is no folder ${missing}; make it, or give -f another place.`],
      [join(cli.file, "service.yml"), `${cli.file} is no folder.`],
    ] as const) {
      const { code, err } = await cli.run("init", "-y", "-f", file);
      expect([code, err]).toEqual([EXIT.failed, `error: Cannot write ${file}: ${why}\n`]);
    }
    const { err } = await cli.run("init", "-y", "-f", cli.home, "--force");
    expect(err).toBe(`error: Cannot write ${cli.home}: it is a folder.\n`);
  });

  test("without a terminal and without -y", async () => {
    await using cli = await setUp();
    expect((await cli.run("init", "-f", cli.file)).code).toBe(EXIT.usage);
    await expect(readFile(cli.file)).rejects.toThrow("ENOENT");
  });

  test("answers that mean nothing, with what is wrong", async () => {
    await using cli = await setUp();
    const { code, err } = await cli.run("init", "-f", cli.file, "-y", "--gpus", "H200:8:9");
    expect(code).toBe(EXIT.usage);
    expect(err).toContain("resources.gpu");
    await expect(readFile(cli.file)).rejects.toThrow("ENOENT");
  });
});

test("a number that is none is said to be so", async () => {
  await using cli = await setUp();
  cli.terminal = true;
  cli.typed = ["", "", "", "many"];
  const { code, err } = await cli.run("init", "-f", cli.file);
  expect(code).toBe(EXIT.usage);
  expect(err).toContain("Give a whole number from 1 to 1000.");
});

test("every kind of first file is valid, and its launch lines say what they shall", () => {
  for (const disaggregated of [false, true]) {
    for (const router of [false, true]) {
      for (const gpu of [null, "H200:8"]) {
        const text = firstFile({ name: "mine", model: "a/b", gpu, disaggregated, replicas: 2, router });
        const parsed = parseConfig(text, "service.yml");
        if (!parsed.ok || parsed.type !== "service") throw new Error(JSON.stringify(parsed.issues));
        expect(parsed.notes).toEqual([]);
        const resolved = parsed.spec.groups.map((group) => resolveGroup(parsed.spec, group));
        expect(resolved.map(({ role }) => role)).toEqual(
          disaggregated ? ["router", "prefill", "decode"] : router ? ["router", "worker"] : ["worker"],
        );
        expect(resolved.flatMap(({ warnings }) => warnings)).toEqual([]);
        expect(resolved.flatMap(({ ports }) => ports).every(({ env }) => env !== null)).toBe(true);
      }
    }
  }
});

test.each([
  ["Qwen/Qwen3-8B", "qwen3-8b"],
  ["/mnt/models/My_Model.v2/", "my-model-v2"],
  ["7B", "my-service"],
  ["x".repeat(60), "x".repeat(41)],
])("%s is called %s", (model, name) => {
  expect(nameOf(model)).toBe(name);
});
