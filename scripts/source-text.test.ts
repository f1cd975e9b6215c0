import { describe, expect, it } from "vitest";
import { blankText, importsOf } from "./source-text.ts";

describe("blankText", () => {
  it.each([
    ['a("b c")', 'a("   ")'],
    ["a('it\\'s')", "a('     ')"],
    ["a // b", "a     "],
    ["a /* b\nc */ d", "a     \n     d"],
    ["`a${b}c`", "` ${b} `"],
    ["`a${ {b: `x${c}`} }d`", "` ${ {b: ` ${c}`} } `"],
    ["a = /['\"/]x/.test(b)", "a = /      /.test(b)"],
    ["a / b / c", "a / b / c"],
    ["(a) / 2 // c", "(a) / 2     "],
    ["return /x'/;", "return /  /;"],
  ])("%s", (source, blanked) => {
    expect(blankText(source)).toBe(blanked);
  });

  it("keeps every character at its place", () => {
    const source = "const a = `x\n${'y'}`; // z\nconst b = /[/]/g;";
    expect(blankText(source)).toHaveLength(source.length);
    expect(blankText(source).split("\n")).toHaveLength(3);
  });

  it("ends at the end of a file that breaks off", () => {
    for (const source of ["'abc", "`abc", "`a${b", "/* abc", "= /abc"])
      expect(blankText(source)).toHaveLength(source.length);
  });
});

describe("importsOf", () => {
  it("passes over what only looks like an import", () => {
    const source = "// import x from 'y'\nconst a = \"import 'b'\";\nconst from = 'c';\nArray.from('d');";
    expect(importsOf(source).map(({ specifier }) => specifier)).toEqual([]);
  });
});
