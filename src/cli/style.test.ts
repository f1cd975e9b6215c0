import { expect, test } from "vitest";
import { colorsFor, logText, oneLine } from "./style.ts";

const screen = (isTTY: boolean) => ({ isTTY, columns: 80, rows: 24, write: () => {} });

test.each([
  [true, {}, true],
  [true, { NO_COLOR: "" }, true],
  [true, { NO_COLOR: "1" }, false],
  [true, { TERM: "dumb" }, false],
  [false, {}, false],
  [false, { FORCE_COLOR: "1" }, false],
])("terminal %s, %o: colours %s", (isTTY, env, expected) => {
  expect(colorsFor(screen(isTTY), env).isColorSupported).toBe(expected);
});

test("text of others cannot move the cursor", () => {
  expect(oneLine("a\u001b[2Jb\r\nc")).toBe("a [2Jb  c");
  expect(logText("\u001b[31mred\u001b[0m\t\u001b[2Jx\r\u001b]0;title\u0007", true)).toBe(
    "\u001b[31mred\u001b[0m\tx]0;title",
  );
  expect(logText("\u001b[31mred\u001b[0m\tx", false)).toBe("red\tx");
});
