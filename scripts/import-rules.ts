/** Which folders of the checkout a folder may import from; itself is always allowed. Kept in step with ARCHITECTURE.md. */
const MAY_IMPORT: Record<string, string[]> = {
  "src/spec": [],
  "src/wire": ["src/spec"],
  "src/link": [],
  "src/adapters": ["src/spec"],
  "src/core": ["src/spec", "src/adapters", "src/wire"],
  "src/store": ["src/spec", "src/adapters", "src/core", "src/wire"],
  "src/providers": ["src/spec", "src/wire"],
  "src/proxy": ["src/wire", "src/link"],
};
MAY_IMPORT["src/control"] = Object.keys(MAY_IMPORT);
MAY_IMPORT["src/api"] = Object.keys(MAY_IMPORT);
MAY_IMPORT["src/replica"] = ["src/wire", "src/link"];
MAY_IMPORT["src/install"] = [];
MAY_IMPORT["src/stderr.ts"] = [];
MAY_IMPORT["src/blotted.ts"] = [];
MAY_IMPORT["src/node"] = Object.keys(MAY_IMPORT);
MAY_IMPORT["src/edge"] = Object.keys(MAY_IMPORT).filter(
  (folder) => !/^src\/(node|replica|install|stderr)/.test(folder),
);
MAY_IMPORT["src/node.ts"] = Object.keys(MAY_IMPORT).filter((folder) => folder !== "src/edge");
MAY_IMPORT["src/worker.ts"] = Object.keys(MAY_IMPORT).filter(
  (folder) => !/^src\/(node|replica|install|stderr)/.test(folder),
);
MAY_IMPORT["src/deploy"] = ["src/node", "src/store", "src/control", "src/blotted.ts"];
MAY_IMPORT["src/deploy.ts"] = ["src/deploy"];
MAY_IMPORT["src/cli"] = [
  "src/spec",
  "src/wire",
  "src/api/client.ts",
  "src/api/version.ts",
  "src/control/views/views.ts",
  "src/control/views/views-fleet.ts",
  "src/node.ts",
  "src/deploy.ts",
  "src/install",
  "agents/host",
];

/** An agent is deployed apart from the control plane. */
const AGENTS_MAY_IMPORT = [
  "src/spec",
  "src/wire",
  "src/adapters",
  "src/link",
  "src/replica",
  "src/stderr.ts",
  "src/blotted.ts",
];

/** Decisions: the same inputs always give the same answer. */
const PURE = [
  "src/spec",
  "src/adapters",
  "src/core",
  "agents/host/decide",
  "agents/host/decide.ts",
  "agents/host/inventory/describe.ts",
  "agents/host/inventory/distance.ts",
  "agents/host/inventory/fabric.ts",
  "agents/host/inventory/health.ts",
  "agents/host/peers/weigh.ts",
  "agents/host/peers/words.ts",
  "agents/engine-sim/model.ts",
  "agents/engine-sim/profiles.ts",
  "agents/engine-sim/token-ratio.ts",
];
const PURE_PACKAGES = ["zod", "yaml"];

/** Runs on workerd too, which has no Node beneath it. */
const PORTABLE = [
  "src/api",
  "src/proxy",
  "src/link",
  "src/control",
  "src/wire",
  "src/store",
  "src/edge",
  "src/worker.ts",
];

/** Clock, randomness and the world outside, as they are spelled in code. */
const IMPURE: { what: string; pattern: RegExp }[] = [
  { what: "Date.now", pattern: /\bDate\s*\.\s*now\b/g },
  { what: "new Date()", pattern: /\bnew\s+Date\s*(?:\(\s*\)|(?![\w$\s(]))/g },
  { what: "Date()", pattern: /(?<!new\s)(?<![.\w$])Date\s*\(/g },
  { what: "performance", pattern: /(?<![.\w$])performance\s*\./g },
  { what: "Math.random", pattern: /\bMath\s*\.\s*random\b/g },
  { what: "crypto", pattern: /(?<![.\w$])crypto\s*\./g },
  { what: "fetch", pattern: /(?<![.\w$])fetch\s*\(/g },
  { what: "process", pattern: /(?<![.\w$])process\s*(?:\?\.|\.|\[)/g },
  { what: "a timer", pattern: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/g },
  { what: "console", pattern: /(?<![.\w$])console\s*\./g },
  { what: "globalThis", pattern: /\bglobalThis\b/g },
];

/** Tests and what only they use may import anything and look at the clock. */
export function isTestFile(file: string): boolean {
  return /\.test\.ts$|\/testing(\/|\.ts$)/.test(file);
}

/**
 * Why a file may not import something.
 *
 * @param file path in the checkout
 * @param target a path in the checkout, or the name of a package or of a Node module (`node:fs`)
 * @param isPath whether `target` is a path
 * @returns null when it may
 */
export function importProblem(file: string, target: string, isPath: boolean): string | null {
  if (target.startsWith("node:")) return nodeProblem(file, target);
  if (!isPath) return packageProblem(file, target);
  const from = areaOf(file);
  if (!from || isInside(target, from) || !/^(src|agents|test|scripts|bench)\//.test(target)) return null;
  const allowed = from.startsWith("agents/") ? AGENTS_MAY_IMPORT : MAY_IMPORT[from];
  if (!allowed) return `${from} has no rule yet; say in scripts/import-rules.ts what it may import`;
  if (allowed.some((area) => isInside(target, area))) return null;
  const list = allowed.length > 0 ? allowed.join(", ") : "nothing but itself";
  return `${from} must not import ${target}: it may import ${list}. Move what both need down, or take it as an argument`;
}

function nodeProblem(file: string, target: string): string | null {
  if (isIn(file, PURE))
    return `${target} in a pure file. Decisions have no I/O: take the value as an argument, or move the code to where it runs`;
  if (isIn(file, PORTABLE))
    return `${target} in code that runs on Workers too. Use a web standard, or take it through an interface that src/node fulfils`;
  return null;
}

function packageProblem(file: string, target: string): string | null {
  const name = target.startsWith("@") ? target.split("/").slice(0, 2).join("/") : target.split("/")[0];
  if (!isIn(file, PURE) || PURE_PACKAGES.includes(name ?? "")) return null;
  return `package ${name} in a pure file, where only ${PURE_PACKAGES.join(" and ")} may be used. Move the code to where it runs`;
}

/**
 * What a pure file uses that a decision must not.
 *
 * @param code the file's code, text blanked
 */
export function impureUses(file: string, code: string): { index: number; problem: string }[] {
  if (!isIn(file, PURE)) return [];
  return IMPURE.flatMap(({ what, pattern }) =>
    [...code.matchAll(pattern)].map((match) => ({
      index: match.index,
      problem: `${what} in a pure file. Decisions have no clock, randomness or I/O: take the value as an argument`,
    })),
  );
}

/** `src/core`, `agents/host`, or an entry such as `src/node.ts`. */
function areaOf(file: string): string | null {
  return /^(?:src|agents)\/[^/]+/.exec(file)?.[0] ?? null;
}

function isIn(file: string, areas: string[]): boolean {
  return areas.some((area) => isInside(file, area));
}

function isInside(path: string, area: string): boolean {
  return path === area || path.startsWith(`${area}/`);
}
