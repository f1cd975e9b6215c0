import * as z from "zod";
import { closedCount, readCount, readReplicas } from "../grammar/count.ts";
import { orderedRange, type ReadEnd } from "../grammar/range.ts";
import { bad, type Result } from "../result.ts";
import type { Range } from "../types.ts";
import { by, mapping, optional, rangeScalarOf, scalarOf } from "./fields.ts";

/** A range as one scalar (`a..b`) or as a mapping of its ends. `example` is one end as it may be written. */
export function rangeOf(readEnd: ReadEnd, example: string | number) {
  return z.union([rangeScalarOf(readEnd), endsOf(readEnd, example).transform(by(closeRange))]);
}

/** How many replicas; both ends are known. */
export const count = z.union([scalarOf(readCount), endsOf(readReplicas, 1).transform(by(closeCount))]);

interface Ends {
  min: number | null;
  max: number | null;
}

function endsOf(readEnd: ReadEnd, example: string | number) {
  return mapping("range", {
    min: optional(scalarOf(readEnd), null, { description: "The lower end; 0 when left out", examples: [example] }),
    max: optional(scalarOf(readEnd), null, { description: "The upper end; open when left out", examples: [example] }),
  });
}

function closeRange({ min, max }: Ends): Result<Range> {
  if (min === null && max === null) return bad("This range has no end at all; write `min`, `max` or both.");
  return orderedRange(min ?? 0, max, `${min ?? ""}..${max ?? ""}`);
}

function closeCount(ends: Ends): Result<{ min: number; max: number }> {
  const range = closeRange(ends);
  return range.ok ? closedCount(range.value.min, range.value.max, `${range.value.min}..`) : range;
}
