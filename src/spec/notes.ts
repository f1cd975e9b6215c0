import type * as z from "zod";
import type { Finding } from "./finding.ts";
import type { Standing } from "./schema/fields.ts";
import { fieldsOf, type SchemaField } from "./schema/walk.ts";
import { type Node, type Path, toValue } from "./yaml/node.ts";

/**
 * One finding for each written field that does not act yet, or never will. Nothing is said of fields that are null,
 * their default, or a value that holds already.
 * @param schema one that has accepted the document
 */
export function noteFields(root: Node, schema: z.core.$ZodType): Finding[] {
  return noteBelow(root, [schema], []);
}

function noteBelow(node: Node, schemas: readonly z.core.$ZodType[], path: Path): Finding[] {
  if (node.kind === "scalar") return [];
  const children: [string | number, Node][] =
    node.kind === "list"
      ? [...node.items.entries()]
      : [...node.entries].map(([key, entry]): [string, Node] => [key, entry.node]);
  return children.flatMap(([step, child]) => {
    const fields = fieldsOf(schemas, step);
    const place = [...path, step];
    const note = noteField(child, fields, place);
    if (note !== null) return [note];
    return noteBelow(
      child,
      fields.map(({ schema }) => schema),
      place,
    );
  });
}

function noteField(node: Node, fields: readonly SchemaField[], path: Path): Finding | null {
  if (node.kind === "scalar" && node.value === null) return null;
  for (const { schema, meta } of fields) {
    const message = meta.standing && explainStanding(String(path.at(-1)), meta.standing);
    if (message && isOfConsequence(toValue(node), schema, meta)) return { path, at: "key", message };
  }
  return null;
}

function explainStanding(key: string, standing: Standing): string | null {
  if (standing.kind === "unused") return `${standing.why}.`;
  if (standing.kind !== "later") return null;
  const until = standing.until === undefined ? "" : `; until then ${standing.until}`;
  return `\`${key}\` acts when ${standing.when}${until}.`;
}

function isOfConsequence(written: unknown, schema: z.core.$ZodType, meta: SchemaField["meta"]): boolean {
  if (meta.standing?.kind !== "later") return true;
  const read = (schema as z.ZodType).safeParse(written);
  if (!read.success) return false;
  const idle = [...(meta.standing.except ?? []), ...("default" in meta ? [meta.default] : [])];
  return !idle.some((value) => JSON.stringify(value) === JSON.stringify(read.data));
}
