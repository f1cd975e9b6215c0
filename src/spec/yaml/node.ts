import type { OddScalar } from "./plain-scalar.ts";

/** A place in a file; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** Keys of mappings and indices of lists, from the document's root. */
export type Path = readonly (string | number)[];

/** A document with its places, aliases followed. A node that is used twice is the same object twice. */
export type Node = ScalarNode | MapNode | ListNode;

interface ScalarNode {
  kind: "scalar";
  at: Position;
  value: string | number | boolean | null | OddScalar;
}

export interface MapNode {
  kind: "map";
  at: Position;
  entries: Map<string, { keyAt: Position; node: Node }>;
}

export interface ListNode {
  kind: "list";
  at: Position;
  items: Node[];
}

/** Plain values for the schemas: objects, arrays, scalars and `OddScalar`s. */
export function toValue(node: Node): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toValue);
    case "map": {
      const object: Record<string, unknown> = {};
      for (const [key, entry] of node.entries) object[key] = toValue(entry.node);
      return object;
    }
  }
}

/** The node at a path; null when the file has none there. */
export function nodeAt(root: Node, path: Path): Node | null {
  let node: Node | undefined = root;
  for (const step of path) {
    if (node?.kind === "map") node = node.entries.get(String(step))?.node;
    else if (node?.kind === "list") node = node.items[Number(step)];
    else return null;
  }
  return node ?? null;
}

/**
 * Where a message about `path` points: at the key itself, or at the value. What is missing is pointed at where it would
 * belong, an empty value at its key.
 */
export function positionOf(root: Node, path: Path, at: "key" | "value"): Position {
  let node: Node = root;
  let place = root.at;
  for (const step of path) {
    if (node.kind === "map") {
      const entry = node.entries.get(String(step));
      if (entry === undefined) return place;
      node = entry.node;
      place = at === "key" || isEmpty(node) ? entry.keyAt : node.at;
    } else if (node.kind === "list") {
      const item: Node | undefined = node.items[Number(step)];
      if (item === undefined) return place;
      node = item;
      place = node.at;
    } else return place;
  }
  return place;
}

function isEmpty(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** e.g. `replicas[1].resources.gpu`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}
