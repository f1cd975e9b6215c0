import { describe, expect, test } from "vitest";
import { EXIT } from "./exit-codes.ts";
import type { CliError } from "./failure.ts";
import { passedEnv } from "./pass-env.ts";

const SPEC = { HF_TOKEN: null, REGION: null, MODE: "fast" };

test("-e goes before the environment, literals are left alone, and nothing else is sent", () => {
  const env = { HF_TOKEN: "from-env", REGION: "eu", SECRET: "mine" };
  expect(passedEnv(SPEC, ["HF_TOKEN=a=b"], env)).toEqual({ HF_TOKEN: "a=b", REGION: "eu" });
  expect(passedEnv(SPEC, ["HF_TOKEN"], env)).toEqual({ HF_TOKEN: "from-env", REGION: "eu" });
  expect(passedEnv(SPEC, ["REGION="], env)).toEqual({ HF_TOKEN: "from-env", REGION: "" });
});

describe("refusals", () => {
  const refusal = (assignments: string[], env = {}): CliError => {
    try {
      passedEnv(SPEC, assignments, env);
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
  });

  test("an assignment without effect", () => {
    expect(refusal(["MODE=slow"]).message).toContain("the file gives it a value of its own");
    expect(refusal(["OTHER=x"]).message).toContain("the file does not name it");
  });

  test("a malformed one does not show its value", () => {
    const error = refusal(["HF-TOKEN=hf_secret"]);
    expect(error.exitCode).toBe(EXIT.usage);
    expect(error.message + error.hint).not.toContain("hf_secret");
  });
});
