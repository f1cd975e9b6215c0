import * as z from "zod";
import { readEntityName, readEntityRef } from "../grammar/entity.ts";
import type { EntityRef } from "../types.ts";
import { mapping, optional, required, textOf } from "./fields.ts";

/** Another resource: `name`, `project/name`, or a mapping of the two. */
export const entityRef = z.union([
  textOf(readEntityRef),
  mapping("reference", {
    project: optional(textOf(readEntityName), null, {
      description: "The project that owns it; the own one when left out",
      examples: ["team-a"],
    }),
    name: required(textOf(readEntityName), { description: "What it is called", examples: ["gpu-hosts"] }),
  }).transform((ref): EntityRef => ref),
]);
