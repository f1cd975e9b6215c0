import type * as z from "zod";
import { nearest } from "./suggest.ts";
import { type Node, nodeAt, type Path } from "./yaml/node.ts";

type Issue = z.core.$ZodIssue;

/**
 * The issues without fields that are missing only because their key is misspelt: the unknown key says it all.
 * @param at where in the document the issues' own paths begin
 */
export function withoutMisspelt(issues: readonly Issue[], at: Path, root: Node): Issue[] {
  return issues.filter((issue) => {
    const key = issue.path.at(-1);
    if (typeof key !== "string" || nodeAt(root, [...at, ...(issue.path as Path)]) !== null) return true;
    return !unknownKeysAt(issue.path.slice(0, -1), issues).some((unknown) => nearest(unknown, [key]) !== null);
  });
}

function unknownKeysAt(path: readonly PropertyKey[], issues: readonly Issue[]): string[] {
  return issues.flatMap((issue) => {
    const isHere = issue.path.length === path.length && issue.path.every((step, index) => step === path[index]);
    return issue.code === "unrecognized_keys" && isHere ? issue.keys : [];
  });
}
