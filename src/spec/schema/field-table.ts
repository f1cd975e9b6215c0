import * as z from "zod";
import { readCount, readReplicas } from "../grammar/count.ts";
import { readCpu, readCpuCount } from "../grammar/cpu.ts";
import { readDuration, readIdleDuration, readOffableDuration } from "../grammar/duration.ts";
import { readEntityName, readEntityRef } from "../grammar/entity.ts";
import { readGpu, readGpuCount } from "../grammar/gpu.ts";
import { readMemory } from "../grammar/memory.ts";
import { readGroupName, readResourceName } from "../grammar/names.ts";
import { readPositive } from "../grammar/number.ts";
import { readPort, readServicePort } from "../grammar/port.ts";
import { readShare, readSomeShare } from "../grammar/share.ts";
import { writeCpu, writeGpu } from "../print/resources.ts";
import { writeMemory, writeOffable, writeRange } from "../print/scalars.ts";
import { writeValue } from "../quote.ts";
import type { GpuSpec, Range, ResourcesSpec } from "../types.ts";
import { readFlag, type Spelling, type Standing, spellings } from "./fields.ts";
import { mayBeLeftOut, metaOf } from "./json-schema.ts";

type Schema = z.core.$ZodTypes;

/** What the documentation says of one field. Everything is Markdown. */
interface FieldRow {
  name: string;
  /** How it may be written, e.g. `list of [group](#group)`. */
  written: string;
  /** What it is when left out. */
  fallback: string;
  description: string;
  /** How it stands to the language that files may have been written for. */
  standing: string;
}

/** One kind of mapping. */
interface FieldSection {
  kind: string;
  rows: FieldRow[];
}

/** Every field of these mappings and of all that stand in them, each kind of mapping once, outer ones first. */
export function fieldTable(roots: readonly z.core.$ZodType[]): FieldSection[] {
  return [...fieldsByKind(roots)].map(([kind, fields]) => ({
    kind,
    rows: [...fields].map(([name, field]) => writeRow(name, field as Schema)),
  }));
}

/** The schemas of the fields of each kind of mapping, by name, outer kinds first. */
export function fieldsByKind(roots: readonly z.core.$ZodType[]): Map<string, Map<string, z.core.$ZodType>> {
  const kinds = new Map<string, Map<string, z.core.$ZodType>>();
  const open = roots.flatMap((root) => mappingsIn(root as Schema));
  for (let mapping = open.shift(); mapping !== undefined; mapping = open.shift()) {
    const kind = kindOf(mapping);
    const { shape } = mapping._zod.def as z.core.$ZodObjectDef;
    const known = kinds.get(kind) ?? new Map<string, z.core.$ZodType>();
    // Ranges of different things, and the forms of one mapping, are one kind.
    const fresh = Object.entries(shape).filter(([name]) => !known.has(name));
    if (fresh.length === 0) continue;
    kinds.set(kind, new Map([...known, ...fresh]));
    open.push(...Object.values(shape).flatMap((field) => mappingsIn(field as Schema)));
  }
  return kinds;
}

function kindOf(mapping: Schema): string {
  return z.globalRegistry.get(mapping)?.title ?? "mapping";
}

/** The nearest mappings of named fields in a schema. */
function mappingsIn(schema: Schema): Schema[] {
  if (schema._zod.def.type === "object") return [schema];
  return partsOf(schema).flatMap(mappingsIn);
}

/** What a schema puts together, as a file sees it. */
function partsOf(schema: Schema): Schema[] {
  const def = schema._zod.def;
  if (def.type === "pipe") return [inputOf(def) as Schema];
  if (def.type === "union") return def.options as Schema[];
  if (def.type === "array") return [def.element as Schema];
  if (def.type === "tuple") return def.items as Schema[];
  if (def.type === "record") return [def.valueType as Schema];
  return "innerType" in def ? [def.innerType as Schema] : [];
}

/** A preprocessing step tells nothing of what it takes: what comes out of it does. */
function inputOf(def: z.core.$ZodPipeDef): z.core.$ZodType {
  return (def.in as Schema)._zod.def.type === "transform" ? def.out : def.in;
}

function writeRow(name: string, schema: Schema): FieldRow {
  const meta = metaOf(schema);
  const written = [...new Set(waysToWrite(schema, meta.examples ?? []))].join(" or ");
  return {
    name,
    written: meta.standing?.kind === "refused" || meta.standing?.kind === "unused" ? "–" : written,
    fallback: mayBeLeftOut(schema) ? writeFallback(schema, written) : "required",
    description: meta.description ?? "",
    standing: writeStanding(meta.standing),
  };
}

function waysToWrite(schema: Schema, examples: readonly unknown[]): string[] {
  const spelling = spellings.get(schema as z.core.$ZodType);
  if (spelling !== undefined) return [wordFor(spelling, examples)];
  const def = schema._zod.def;
  switch (def.type) {
    case "object":
      return [`[${kindOf(schema)}](#${kindOf(schema).replaceAll(" ", "-")})`];
    case "array":
      return [`list of ${waysToWrite(def.element as Schema, []).join(" or ")}`];
    case "tuple":
      return [`list of ${def.items.length}`];
    case "record":
      return ["mapping of names to values"];
    case "enum":
      return [Object.values(def.entries).map(code).join(", ")];
    case "literal":
      return [def.values.map(code).join(", ")];
    case "unknown":
      return ["anything"];
    default:
      return partsOf(schema).flatMap((part) => waysToWrite(part, examples));
  }
}

/** What a file may hold there, in the words of the page. */
function wordFor({ types, read, isRange }: Spelling, examples: readonly unknown[]): string {
  const word = words.get(read) ?? null;
  if (isRange) return word === null || word === "number" ? "number or range" : `${word} or range of it`;
  if (word !== null) return word;
  if (types.includes("boolean")) return "true, false or text";
  return wordOfExamples(examples.map(String));
}

/** A grammar that belongs to one field has no word of its own; its examples look like one of these. */
function wordOfExamples(examples: string[]): string {
  const form = forms.find(([pattern]) => examples.length > 0 && examples.every((example) => pattern.test(example)));
  return form?.[1] ?? "text";
}

const forms: readonly [RegExp, string][] = [
  [/^\d+(\.\d+)?$/, "number"],
  [/^\d+[smhdw]$/, "duration"],
  [/^\d+(MB|GB|TB)$/, "memory"],
  [/^\d+(\.\.\d*)?$/, "number or range"],
  [/^(\d+|auto)$/, "number or `auto`"],
];

/** What the page calls that which a grammar reads. */
const words = new Map<unknown, string>([
  [readFlag, "true or false"],
  [readDuration, "duration"],
  [readOffableDuration, "duration or off"],
  [readIdleDuration, "duration or off"],
  [readMemory, "memory"],
  [readPositive, "number"],
  [readReplicas, "number"],
  [readCpuCount, "number"],
  [readGpuCount, "number"],
  [readPort, "port"],
  [readServicePort, "port"],
  [readResourceName, "name"],
  [readEntityName, "name"],
  [readGroupName, "name"],
  [readEntityRef, "name or project/name"],
  [readShare, "number or per cent"],
  [readSomeShare, "number or per cent"],
  [readCount, "number or range"],
  [readGpu, "GPUs"],
  [readCpu, "CPUs"],
]);

function writeFallback(schema: Schema, written: string): string {
  const read = z.safeParse(schema, undefined);
  if (!read.success) return "–";
  const value: unknown = read.data;
  if (written.includes("duration") && (typeof value === "number" || (value === null && written.includes("off")))) {
    return code(writeOffable(value));
  }
  if (value === null || value === undefined) return "–";
  if (typeof value !== "object") return code(value);
  if (Object.keys(value).length === 0) return "none";
  if ("names" in value) return code(writeGpu(value as GpuSpec));
  if ("arch" in value) return code(writeCpu(value as ResourcesSpec["cpu"]));
  if ("min" in value) return code(writeRange(value as Range, written.includes("memory") ? writeMemory : undefined));
  return code(writeValue(value));
}

function writeStanding(standing: Standing | undefined): string {
  switch (standing?.kind) {
    case undefined:
    case "same":
      return "same";
    case "better":
    case "extended":
      return `${standing.kind}: ${standing.how}`;
    case "later": {
      const until = standing.until === undefined ? "" : `; until then ${standing.until}`;
      return `later: acts when ${standing.when}${until}`;
    }
    case "unused":
      return `unused: ${standing.why}`;
    case "refused":
      return `refused: ${standing.why}`;
  }
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}
