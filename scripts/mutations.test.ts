import { describe, expect, it } from "vitest";
import { applyMutation, mutationsOf } from "./mutations.ts";

const mutated = (source: string) => mutationsOf(source).map((mutation) => applyMutation(source, mutation));

describe("the mutations of a source", () => {
  it.each([
    ["x = a < b;", ["x = a >= b;", "x = a <= b;"]],
    ["x = a === b;", ["x = a !== b;"]],
    ["x = a && b;", ["x = a || b;"]],
    ["x = (a) + (b);", ["x = (a) - (b);"]],
    ["x = !a;", ["x = a;"]],
    ["x = true;", ["x = false;"]],
    ["x = a ? b : c;", ["x = true ? b : c;", "x = false ? b : c;"]],
    ["x = as.some(f);", ["x = as.every(f);"]],
    ["x ??= y;", ["x = y;"]],
  ])("%s", (source, expected) => {
    const whole = [...expected, ";"];
    expect(mutated(source).sort()).toEqual(whole.sort());
  });

  it("force conditions and leave statements out", () => {
    expect(mutated("if (a) f();")).toEqual(["if (true) f();", "if (false) f();", "if (a) ;"]);
    expect(mutated("while (a) f();")).toEqual(["while (false) f();", "while (a) ;"]);
    expect(mutated("function f() { return; }")).toEqual(["function f() { ; }"]);
  });

  it("leave texts, types and names alone", () => {
    expect(mutated('export const a = "x" + b, c = `y`;\ntype A = true | "x";\ninterface B { b: true }')).toEqual([]);
  });

  it("name their line, also after letters of several bytes", () => {
    const source = 'const a = "é→";\nconst b = c > 1;';
    expect(mutationsOf(source).map(({ line }) => line)).toEqual([2, 2]);
    expect(mutated(source)[0]).toBe('const a = "é→";\nconst b = c <= 1;');
  });
});
