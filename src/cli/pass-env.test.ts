import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "./exit-codes.ts";
import type { CliError } from "./failure.ts";
import { passedEnv, readAssignments, readEnvFile } from "./pass-env.ts";

const NAMES = ["HF_TOKEN", "REGION"];
const passed = (given: string[], env = {}, envFile = {}, names = NAMES) =>
  passedEnv(names, { assignments: readAssignments(given, env), env, envFile });

test("-e goes before the environment, that before the file of variables, and nothing else is sent", () => {
  const env = { HF_TOKEN: "from-env", REGION: "eu", SECRET: "mine" };
  const file = { HF_TOKEN: "from-file", REGION: "us", constructor: "x" };
  expect(passed(["HF_TOKEN=a=b"], env)).toEqual({ HF_TOKEN: "a=b", REGION: "eu" });
  expect(passed(["HF_TOKEN"], env)).toEqual({ HF_TOKEN: "from-env", REGION: "eu" });
  expect(passed(["REGION="], env)).toEqual({ HF_TOKEN: "from-env", REGION: "" });
  expect(passed(["HF_TOKEN=one", "HF_TOKEN=two"], { REGION: "" }, file)).toEqual({ HF_TOKEN: "two", REGION: "" });
  expect(passed([], { HF_TOKEN: "from-env" }, file)).toEqual({ HF_TOKEN: "from-env", REGION: "us" });
  expect(passed([], {}, file, ["constructor"])).toEqual({ constructor: "x" });
});

describe("refusals", () => {
  const refusal = (given: string[], names = NAMES): CliError => {
    try {
      passed(given, {}, {}, names);
    } catch (error) {
      return error as CliError;
    }
    throw new Error("It was not refused.");
  };

  test("every variable without a value is named, with what to write", () => {
    const error = refusal([]);
    expect(error.exitCode).toBe(EXIT.failed);
    expect(error.message).toContain("HF_TOKEN, REGION");
    expect(error.hint).toContain("-e HF_TOKEN=value -e REGION=value");
    expect(refusal([], ["constructor"]).message).toContain("constructor");
  });

  test("a name without a value anywhere, and a malformed one that does not show its value", () => {
    expect(refusal(["OTHER"]).exitCode).toBe(EXIT.usage);
    const error = refusal(["HF-TOKEN=hf_secret"]);
    expect(error.exitCode).toBe(EXIT.usage);
    expect(error.message + error.hint).not.toContain("hf_secret");
  });
});

describe("a file of variables", () => {
  test("is the one that was asked for, else .env beside the configuration, if it is there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "headrace-env-"));
    try {
      const config = join(folder, "service.yml");
      expect(await readEnvFile(config, null)).toEqual({});
      await writeFile(join(folder, ".env"), '# a comment\nexport A=1\nB="two words"\n');
      await writeFile(join(folder, "other"), "A=3\n");
      expect(await readEnvFile(config, null)).toEqual({ A: "1", B: "two words" });
      expect(await readEnvFile(config, join(folder, "other"))).toEqual({ A: "3" });
      await expect(readEnvFile(config, join(folder, "none"))).rejects.toThrow("there is no such file");
      await expect(readEnvFile(config, folder)).rejects.toMatchObject({ exitCode: EXIT.failed });
      await writeFile(join(folder, ".env"), "x".repeat(256 * 1024 + 1));
      await expect(readEnvFile(config, null)).rejects.toThrow("more than");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
