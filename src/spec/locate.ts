import type { Finding } from "./finding.ts";
import { MAX_ISSUES } from "./limits.ts";
import type { SpecIssue } from "./types.ts";
import { formatPath, type Node, positionOf } from "./yaml/node.ts";

/** Findings with their places, in the order of the file, each said once, at most `MAX_ISSUES`. */
export function locate(findings: readonly Finding[], root: Node): SpecIssue[] {
  const issues = findings.map(({ path, at, message }) => {
    return { ...positionOf(root, path, at), path: formatPath(path), message };
  });
  const inOrder = issues.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const seen = new Set<string>();
  const distinct = inOrder.filter(({ line, column, path, message }) => {
    const key = JSON.stringify([line, column, path, message]);
    return seen.has(key) ? false : seen.add(key);
  });
  return distinct.slice(0, MAX_ISSUES);
}
