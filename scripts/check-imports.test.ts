import { describe, expect, it } from "vitest";
import { checkImports, fileProblems } from "./check-imports.ts";

describe("import directions", () => {
  const cases: [string, string, boolean][] = [
    ["src/core/a.ts", "../spec/types.ts", true],
    ["src/core/a.ts", "./b.ts", true],
    ["src/spec/a.ts", "../core/state.ts", false],
    ["src/adapters/a.ts", "../core/state.ts", false],
    ["src/wire/a.ts", "../link/types.ts", false],
    ["src/control/a.ts", "../api/app.ts", false],
    ["src/proxy/a.ts", "../control/types.ts", false],
    ["src/control/a.ts", "../proxy/types.ts", true],
    ["src/cli/a.ts", "../api/client.ts", true],
    ["src/cli/a.ts", "../api/app.ts", false],
    ["src/cli/commands/a.ts", "../../../agents/host/main.ts", true],
    ["src/worker.ts", "./node/settings.ts", false],
    ["src/node/a.ts", "../edge/a.ts", false],
    ["src/core/a.ts", "../../test/support/specs.ts", false],
    ["agents/host/a.ts", "../../src/wire/index.ts", true],
    ["agents/host/a.ts", "../../src/core/state.ts", false],
    ["agents/host/runtime/a.ts", "../../engine-sim/model.ts", false],
    ["agents/host/a.ts", "../../package.json", true],
  ];
  it.each(cases)("%s importing %s", (file, specifier, allowed) => {
    const problems = fileProblems(file, `\nimport { x } from "${specifier}";\n`);
    expect(problems).toHaveLength(allowed ? 0 : 1);
    if (!allowed) expect(problems[0]).toContain(`${file}:2: `);
  });

  it("sees every form of import", () => {
    const forms = [
      'import "../api/x.ts";',
      'import type { X } from "../api/x.ts";',
      'import {\n  x,\n} from "../api/x.ts";',
      'export * from "../api/x.ts";',
      'const x = await import("../api/x.ts");',
      "const x = await import(`../api/x.ts`);",
      'let x: import("../api/x.ts").X;',
    ];
    for (const form of forms) expect(fileProblems("src/core/a.ts", form), form).toHaveLength(1);
  });

  it("asks for a rule for a new folder", () => {
    expect(fileProblems("src/new/a.ts", 'import { x } from "../spec/types.ts";')[0]).toContain("import-rules.ts");
  });
});

describe("Node's modules", () => {
  it.each(["src/core/a.ts", "agents/host/decide.ts", "agents/host/decide/a.ts", "src/link/a.ts", "src/worker.ts"])(
    "may not be used in %s",
    (file) => {
      expect(fileProblems(file, 'import { readFile } from "node:fs/promises";')).toHaveLength(1);
    },
  );

  it.each(["src/node/a.ts", "src/cli/a.ts", "agents/host/a.ts"])("may be used in %s", (file) => {
    expect(fileProblems(file, 'import { readFile } from "node:fs/promises";')).toEqual([]);
  });
});

describe("purity", () => {
  it.each([
    "Date.now()",
    "new Date()",
    "new Date",
    "Date()",
    "Math.random()",
    "crypto.randomUUID()",
    "fetch(url)",
    "process.env.HOME",
    "setTimeout(f, 1)",
    "performance.now()",
    "console.log(1)",
    "globalThis.x",
    "`at ${Date.now()}`",
  ])("refuses %s", (code) => {
    expect(fileProblems("src/core/a.ts", `export const a = ${code};`)).toHaveLength(1);
    expect(fileProblems("src/control/a.ts", `export const a = ${code};`)).toEqual([]);
  });

  it.each([
    "new Date(now)",
    "job.process.id",
    "{ process: 1 }",
    '"Date.now()"',
    "`Math.random()`",
    "/process.env/.test(a)",
    "1 // Date.now()",
    "1 /* fetch(x) */",
    "runtime.fetch(x)",
  ])("allows %s", (code) => {
    expect(fileProblems("src/core/a.ts", `export const a = ${code}\n`)).toEqual([]);
  });

  it("refuses packages other than zod and yaml", () => {
    expect(fileProblems("src/core/a.ts", 'import * as z from "zod";')).toEqual([]);
    expect(fileProblems("src/core/a.ts", 'import { drizzle } from "drizzle-orm/libsql";')).toHaveLength(1);
  });

  it("holds files beside tests, not tests", async () => {
    const { output } = await checkImports();
    expect(output).not.toMatch(/\.test\.ts:/);
  });
});
