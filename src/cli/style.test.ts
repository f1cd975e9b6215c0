import { expect, test } from "vitest";
import { colorsFor, jsonText, logText, oneLine, severalLines } from "./style.ts";

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
  expect(severalLines("a\u001b[2J\nb\r")).toBe("a [2J\nb ");
});

test("nor do one-byte escapes and marks that turn the direction of writing", () => {
  expect(oneLine("a\u009b2Jb\u202ec")).toBe("a 2Jb c");
  expect(logText("a\u009b2Jb\u202ec\u2066d", true)).toBe("a2Jbcd");
  const value = { text: "a\u009b2J\u007f\u202e\u001b" };
  expect(jsonText(value)).toBe('{"text":"a\\u009b2J\\u007f\\u202e\\u001b"}');
  expect(JSON.parse(jsonText(value))).toEqual(value);
});
