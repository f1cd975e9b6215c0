import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type ParsedNode, type Scalar } from "yaml";
import { MAX_ALIASES, MAX_EXPANDED_CHARS, MAX_ISSUES, MAX_NODES } from "../limits.ts";
import { quote } from "../quote.ts";
import type { ListNode, MapNode, Node, Position } from "./node.ts";
import { OddScalar, readPlainScalar } from "./plain-scalar.ts";
import type { ReadYaml, YamlProblem } from "./read.ts";

type Contents = NonNullable<Document.Parsed["contents"]>;

/**
 * Turns what the YAML library read into our nodes: follows aliases and merge keys (`<<`), refuses duplicate keys and
 * tags. The nesting of what comes in is bounded by `readYaml`; each of at most `MAX_ALIASES` aliases can add as much
 * again, so recursion over the result is safe too.
 */
export function convertDocument(contents: Contents, position: (offset: number) => Position): ReadYaml {
  const conversion = new Conversion(position);
  const root = conversion.convert(contents);
  const [first] = conversion.problems;
  return first === undefined
    ? { ok: true, root: root.node }
    : { ok: false, problems: conversion.problems.slice(0, MAX_ISSUES) };
}

/** A node, and how many nodes and characters of scalars it stands for when aliases are followed. */
interface Sized {
  node: Node;
  size: number;
  chars: number;
}

class Conversion {
  readonly problems: YamlProblem[] = [];
  readonly #position: (offset: number) => Position;
  /** Null while the anchored value is still being read: an alias to it would contain itself. */
  readonly #anchors = new Map<string, Sized | null>();
  #aliases = 0;
  #tooLarge = false;

  constructor(position: (offset: number) => Position) {
    this.#position = position;
  }

  convert(source: ParsedNode): Sized {
    const at = this.#position(source.range[0]);
    if (isAlias(source)) return this.#follow(source.source, at);
    if (source.anchor !== undefined) this.#anchors.set(source.anchor, null);
    if (source.tag !== undefined && !isPlainTag(source.tag)) {
      this.#refuse(
        at,
        "A `!` makes a tag of what follows it, and tags are not supported; put the value in quotes or remove the tag.",
      );
    }
    const sized = this.#build(source, at);
    if (source.anchor !== undefined) this.#anchors.set(source.anchor, sized);
    const isMuch = sized.size > MAX_NODES;
    if ((isMuch || sized.chars > MAX_EXPANDED_CHARS) && !this.#tooLarge) {
      this.#tooLarge = true;
      const most = isMuch ? `${MAX_NODES} values` : `${MAX_EXPANDED_CHARS} characters`;
      this.#refuse(at, `This stands for more than ${most} once its aliases are followed; make it smaller.`);
    }
    return sized;
  }

  #build(source: ParsedNode, at: Position): Sized {
    if (isMap(source)) return this.#map(source.items as Pair<ParsedNode, ParsedNode | null>[], at);
    if (isSeq(source)) return this.#list(source.items as ParsedNode[], at);
    if (!isScalar(source)) return emptyAt(at);
    return {
      node: { kind: "scalar", at, value: scalarValue(source) },
      size: 1,
      chars: String(source.value ?? "").length,
    };
  }

  #list(items: ParsedNode[], at: Position): Sized {
    const node: ListNode = { kind: "list", at, items: [] };
    let [size, chars] = [1, 0];
    for (const item of items) {
      const sized = this.convert(item);
      node.items.push(sized.node);
      size += sized.size;
      chars += sized.chars;
    }
    return { node, size, chars };
  }

  #map(pairs: Pair<ParsedNode, ParsedNode | null>[], at: Position): Sized {
    const node: MapNode = { kind: "map", at, entries: new Map() };
    const merged: MapNode[] = [];
    let [size, chars] = [1, 0];
    for (const { key, value } of pairs) {
      const keyAt = this.#position(key.range[0]);
      const sized = value === null ? emptyAt(keyAt) : this.convert(value);
      size += sized.size;
      chars += sized.chars;
      const name = this.#key(key, keyAt);
      if (name === null) continue;
      if (name === "<<" && isScalar(key) && key.type === "PLAIN") merged.push(...this.#mergeSources(sized.node, keyAt));
      else if (node.entries.has(name)) this.#duplicate(name, keyAt, node.entries.get(name)!.keyAt);
      else node.entries.set(name, { keyAt, node: sized.node });
    }
    // A key that is written out wins over a merged one, an earlier merged one over a later.
    for (const source of merged) {
      for (const [name, entry] of source.entries) if (!node.entries.has(name)) node.entries.set(name, entry);
    }
    return { node, size, chars };
  }

  #key(key: ParsedNode, at: Position): string | null {
    const value = isScalar(key) ? scalarValue(key) : null;
    if (typeof value === "string" && value !== "" && value !== "__proto__") return value;
    if (typeof value === "number") return String(value);
    const written = value instanceof OddScalar ? value.text : value;
    const found =
      written === null ? "This key is empty, a list or a mapping" : `${quote(written)} cannot be a key as it stands`;
    this.#refuse(at, `${found}; a key is a word, in quotes where YAML would read it as something else.`);
    return null;
  }

  #mergeSources(node: Node, at: Position): MapNode[] {
    const sources = node.kind === "list" ? node.items : [node];
    if (sources.every((source) => source.kind === "map")) return sources;
    this.#refuse(at, "`<<` merges mappings; give it an alias of a mapping (`<<: *name`) or a list of them.");
    return [];
  }

  #follow(name: string, at: Position): Sized {
    this.#aliases++;
    if (this.#aliases > MAX_ALIASES) {
      if (this.#aliases === MAX_ALIASES + 1) {
        this.#refuse(at, `There are more than ${MAX_ALIASES} aliases; write the values out.`);
      }
      return emptyAt(at);
    }
    const target = this.#anchors.get(name);
    // Messages about what an alias brings in point at the anchored text, where it has to be changed.
    if (target) return target;
    const problem =
      target === null
        ? "This alias stands for a value that it is part of; write the value out."
        : "A `*` makes an alias of what follows it, and no anchor (`&`) of that name stands above; put the value in quotes or define the anchor first.";
    this.#refuse(at, problem);
    return emptyAt(at);
  }

  #duplicate(name: string, at: Position, first: Position): void {
    this.#refuse(at, `The key ${quote(name)} is written twice, first on line ${first.line}; keep one of them.`);
  }

  #refuse(at: Position, message: string): void {
    if (this.problems.length < MAX_ISSUES) this.problems.push({ at, message });
  }
}

function emptyAt(at: Position): Sized {
  return { node: { kind: "scalar", at, value: null }, size: 1, chars: 0 };
}

/** Tags that say what the node is anyway. */
function isPlainTag(tag: string): boolean {
  return ["str", "map", "seq"].some((name) => tag === `tag:yaml.org,2002:${name}`);
}

function scalarValue(scalar: Scalar): ReturnType<typeof readPlainScalar> {
  const text = String(scalar.value ?? "");
  return scalar.type === "PLAIN" && scalar.tag === undefined ? readPlainScalar(text) : text;
}
