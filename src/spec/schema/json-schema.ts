import * as z from "zod";
import { service } from "./service.ts";

/** The JSON Schema of a service as it is written. Grammars of scalars and rules across fields are beyond it. */
export function jsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(service, { io: "input", unrepresentable: "any" });
}
