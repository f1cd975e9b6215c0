import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findInterpreter } from "./python-interpreter.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-python-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program on PATH that answers as an interpreter of that version would. */
function install(command: string, answer: string) {
  writeFileSync(join(folder, command), `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
}

describe("findInterpreter", () => {
  it("takes python3 when it is new enough and makes environments", () => {
    install("python3", "3 10 1");
    install("python3.13", "3 13 1");
    expect(findInterpreter(folder)).toBe("python3");
  });

  it("takes a newer one beside an old python3", () => {
    install("python3", "3 9 1");
    install("python3.12", "3 12 1");
    expect(findInterpreter(folder)).toBe("python3.12");
  });

  it("says that there is none", () => {
    expect(() => findInterpreter(folder)).toThrow(/there is no python3 on PATH.*apt-get install python3-venv/);
  });

  it("says that it is too old", () => {
    install("python3", "3 9 1");
    expect(() => findInterpreter(folder)).toThrow(/needs Python 3\.10 or later; python3 here is 3\.9/);
  });

  it("says that Debian's python3 lacks venv", () => {
    install("python3", "3 11 0");
    expect(() => findInterpreter(folder)).toThrow(/ensurepip is missing.*apt-get install python3-venv/);
  });

  it("passes over one that does not run", () => {
    writeFileSync(join(folder, "python3"), "#!/bin/sh\nexit 127\n", { mode: 0o755 });
    install("python3.11", "3 11 1");
    expect(findInterpreter(folder)).toBe("python3.11");
  });

  it("understands the real one", () => {
    const path = process.env.PATH ?? "";
    expect(findInterpreter(path)).toMatch(/^python3/);
  });
});
