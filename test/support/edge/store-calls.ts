import type { Store } from "../../../src/store/types.ts";

/** What is asked of the store on workerd. */
export interface StoreCall {
  /** URL of the database. */
  database: string;
  method: Exclude<keyof Store, "close">;
  args: unknown[];
}

export type StoreAnswer = { value: unknown } | { error: { name: string; message: string; code: string | null } };

/** JSON knows no infinity, which a caller may give by mistake and the store must refuse. */
const INFINITY = "\u0000infinity";

export function encodeCall(call: StoreCall): string {
  return JSON.stringify(call, (_, value) => (value === Number.POSITIVE_INFINITY ? INFINITY : value));
}

export function decodeCall(text: string): StoreCall {
  return JSON.parse(text, (_, value) => (value === INFINITY ? Number.POSITIVE_INFINITY : value));
}
