import { expect, test } from "vitest";
import { FanOut } from "./fan-out.ts";

/** A fan-out to hosts that answer when the test lets them, with what was seen of it. */
function world() {
  const answers: (() => void)[] = [];
  const told: string[] = [];
  const rests: (() => void)[] = [];
  const refused = new Set<string>();
  const fanOut = new FanOut({
    tell: (name) =>
      new Promise((resolve, reject) => {
        told.push(name);
        answers.push(() => (refused.delete(name) ? reject(new Error("away")) : resolve()));
      }),
    later: (_ms, next) => void rests.push(next),
  });
  const answerAll = async () => {
    for (const answer of answers.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { fanOut, answers, told, rests, refused, answerAll };
}

test("tells five hundred, each once, at most six at a time and fewer than fifty in one invocation", async () => {
  const { fanOut, answers, told, rests, answerAll } = world();
  const names = Array.from({ length: 500 }, (_, i) => `host-${i}`);
  for (const name of names) fanOut.add(name);
  let inInvocation = 0;
  while (fanOut.size > 0) {
    expect(answers.length).toBeLessThanOrEqual(6);
    if (answers.length > 0) await answerAll();
    else {
      expect(told.length - inInvocation).toBeLessThan(50);
      inInvocation = told.length;
      rests.shift()?.();
    }
  }
  expect(told).toEqual(names);
});

test("tells who could not be told again, and nobody else", async () => {
  const { fanOut, told, rests, refused, answerAll } = world();
  refused.add("b");
  for (const name of ["a", "b", "c"]) fanOut.add(name);
  await answerAll();
  rests.shift()?.();
  await answerAll();
  expect(told).toEqual(["a", "b", "c", "b"]);
  expect(fanOut.size).toBe(0);
});

test("one that is added again while it waits is told once, and once more when it was being told", async () => {
  const { fanOut, told, answerAll } = world();
  for (const name of ["a", "b", "c", "d", "e", "f", "g", "g", "a"]) fanOut.add(name);
  await answerAll();
  await answerAll();
  expect(told).toEqual(["a", "b", "c", "d", "e", "f", "g", "a"]);
});
