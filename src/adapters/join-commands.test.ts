import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { joinCommands } from "./join-commands.ts";

it("runs each command only after those before it", () => {
  expect(joinCommands(["a", "b"])).toBe("a && b");
});

it("puts a background command in braces, and drops the line end that `&&` cannot follow", () => {
  expect(joinCommands(["a &", "b \\\n  --c\n", "d"])).toBe("{ a & } && b \\\n  --c && d");
});

it("makes a script that a shell runs", () => {
  const script = joinCommands(["true &\n", "until true; do\n  sleep 1\ndone\n", "", "echo \\\n  done\n"]);
  expect(execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" })).toBe("done\n");
});
