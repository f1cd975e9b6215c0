import { PassThrough } from "node:stream";
import type { ReadStream } from "node:tty";
import { expect, test } from "vitest";
import { readHidden } from "./hidden-input.ts";

function setUp() {
  const terminal = Object.assign(new PassThrough(), {
    isRaw: false,
    setRawMode(mode: boolean) {
      this.isRaw = mode;
      return this;
    },
  });
  let shown = "";
  let interrupts = 0;
  const left = new AbortController();
  const answer = readHidden(
    terminal as unknown as ReadStream,
    { write: (text) => (shown += text) },
    "Token: ",
    left.signal,
    () => {
      interrupts += 1;
      left.abort(new Error("interrupted"));
    },
  );
  return { terminal, answer, left, shown: () => shown, interrupts: () => interrupts };
}

test("a line is read and not shown, and the terminal is given back", async () => {
  const { terminal, answer, shown } = setUp();
  expect(terminal.isRaw).toBe(true);
  terminal.write("secrex\u007f");
  terminal.write("t\rrest");
  expect(await answer).toBe("secret");
  expect(shown()).toBe("Token: \n");
  expect(terminal.isRaw).toBe(false);
  expect(terminal.isPaused()).toBe(true);
});

test.each([
  ["Ctrl-C", "\u0003", 1],
  ["Ctrl-D", "\u0004", 0],
])("%s leaves", async (_name, key, expected) => {
  const { terminal, answer, shown, interrupts } = setUp();
  terminal.write(`abc${key}`);
  await expect(answer).rejects.toThrow("Nothing was entered.");
  expect(interrupts()).toBe(expected);
  expect(shown()).toBe("Token: \n");
  expect(terminal.isRaw).toBe(false);
});

test("what is too long is refused, and not cut short unseen", async () => {
  const { terminal, answer } = setUp();
  terminal.write("x".repeat(4_097));
  await expect(answer).rejects.toThrow("standard input");
  expect(terminal.isRaw).toBe(false);
});

test("a signal leaves", async () => {
  const { terminal, answer, left } = setUp();
  left.abort(new Error("interrupted"));
  await expect(answer).rejects.toThrow("interrupted");
  expect(terminal.isRaw).toBe(false);
});
