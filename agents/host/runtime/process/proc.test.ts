import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { environmentHas, identify, isAlive, parseStat } from "./proc.ts";

const after = "S 1 4242 4243 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 2000 100";

test("the fields of a stat line count from the last parenthesis, whatever the command is called", () => {
  const expected = { pid: 77, state: "S", processGroup: 4242, session: 4243, startTicks: 987654 };
  expect(parseStat(`77 (sleep) ${after}`)).toEqual(expected);
  expect(parseStat(`77 (a) b) (c) ${after}`)).toEqual(expected);
  expect(parseStat(`77 (Z 1 2\n3) ${after}`)).toEqual(expected);
});

test("what is no stat line is nothing", () => {
  expect(parseStat("")).toBeNull();
  expect(parseStat("77 (sleep")).toBeNull();
  expect(parseStat("77 (sleep) S 1")).toBeNull();
});

test("a process lives under its own start time only, and not once it is dead", async () => {
  const child = spawn("sleep", ["60"], { env: { PATH: process.env.PATH ?? "", MARK: "it" } });
  const identity = identify(child.pid ?? 0);
  expect(identity).not.toBeNull();
  if (identity === null) return;
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ ...identity, startTicks: identity.startTicks - 1 })).toBe(false);
  expect(environmentHas(identity.pid, "MARK", "it")).toBe(true);
  expect(environmentHas(identity.pid, "MARK", "i")).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isAlive(identity)).toBe(false);
  expect(environmentHas(identity.pid, "MARK", "it")).toBe(false);
});
