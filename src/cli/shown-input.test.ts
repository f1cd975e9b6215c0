import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readShown } from "./shown-input.ts";

function setUp() {
  const input = new PassThrough();
  const output = new PassThrough().resume();
  const left = new AbortController();
  const interrupted = new Error("interrupted");
  let interrupts = 0;
  const answer = readShown({ input, output, terminal: true }, "Apply? ", left.signal, () => {
    interrupts += 1;
    left.abort(interrupted);
  });
  return { input, answer, interrupts: () => interrupts };
}

test("a line is read", async () => {
  const { input, answer } = setUp();
  input.write("yes\rrest");
  expect(await answer).toBe("yes");
});

test.each([
  ["Ctrl-C", "\u0003", 1],
  ["Ctrl-D", "\u0004", 0],
])("%s leaves", async (_name, key, expected) => {
  const { input, answer, interrupts } = setUp();
  input.write(key);
  await expect(answer).rejects.toThrow();
  expect(interrupts()).toBe(expected);
});

test("an input that ends leaves", async () => {
  const { input, answer } = setUp();
  input.end();
  await expect(answer).rejects.toThrow("Nothing was entered.");
});
