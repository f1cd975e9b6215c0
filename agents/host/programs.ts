import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the bundle that this runs from (see scripts/make-bundle.ts); from the sources there is none. */
declare const HEADRACE_BUNDLE: string;
const BUNDLE = typeof HEADRACE_BUNDLE === "string" ? HEADRACE_BUNDLE : null;

const SOURCES = {
  agent: new URL("./main.ts", import.meta.url),
  supervisor: new URL("./runtime/process/supervisor.ts", import.meta.url),
};

/** A program that runs as a process of its own. */
export interface Program {
  /** What Node is given to run. */
  file: string;
  /** The folder where Node keeps its compiled code, without which each start compiles all of it anew. */
  compileCache: string;
}

/**
 * Bundled programs lie side by side. An agent may live longer than the bundle it came from: what it starts then comes
 * from the sources.
 * @param dataDir the agent's; where compiled sources are kept
 */
export function findProgram(name: keyof typeof SOURCES, dataDir: string): Program {
  const bundled = BUNDLE === null ? null : join(BUNDLE, `${name}.cjs`);
  return bundled !== null && existsSync(bundled)
    ? { file: bundled, compileCache: join(dirname(bundled), "compile-cache") }
    : { file: fileURLToPath(SOURCES[name]), compileCache: join(dataDir, "compile-cache") };
}
