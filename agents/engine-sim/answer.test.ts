import { expect, it } from "vitest";
import { planAnswer } from "./answer.ts";

it("says the same to the same prompt, and something else to another", () => {
  const [first, again, other] = [planAnswer("a", 50, true), planAnswer("a", 50, true), planAnswer("b", 50, true)];
  expect(first.text(50)).toBe(again.text(50));
  expect(first.text(50)).not.toBe(other.text(50));
  expect(first.promptHash).not.toBe(other.promptHash);
});

it("is made of its tokens", () => {
  const answer = planAnswer("a", 5, true);
  expect([0, 1, 2, 3, 4].map((index) => answer.token(index)).join("")).toBe(answer.text(5));
  expect(answer.text(5).split(" ")).toHaveLength(5);
});

it("begins alike whatever may follow", () => {
  expect(planAnswer("a", 500, false).text(1)).toBe(planAnswer("a", 1, true).text(1));
});

it("ends by itself after 200 tokens on average, or when it is cut", () => {
  const answers = Array.from({ length: 2000 }, (_, index) => planAnswer(`prompt ${index}`, 10_000, false));
  const mean = answers.reduce((sum, { tokens }) => sum + tokens, 0) / answers.length;
  expect(mean).toBeGreaterThan(185);
  expect(mean).toBeLessThan(215);
  expect(answers.every(({ finish, tokens }) => finish === "stop" && tokens >= 1)).toBe(true);
  expect(planAnswer("a", 7, true)).toMatchObject({ tokens: 7, finish: "length" });
  const cut = answers.findIndex(({ tokens }) => tokens > 20);
  expect(planAnswer(`prompt ${cut}`, 20, false)).toMatchObject({ tokens: 20, finish: "length" });
});
