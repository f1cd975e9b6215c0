import type { Store } from "../../../src/store/types.ts";

/** What is asked of the store on workerd. */
export interface StoreCall {
  /** URL of the database. */
  database: string;
  method: Exclude<keyof Store, "close">;
  args: unknown[];
}

export type StoreAnswer = { value: unknown } | { error: { name: string; message: string; code: string | null } };

/** JSON knows no infinity, which a caller may give by mistake and the store must refuse, and no bytes. */
const INFINITY = "\u0000infinity";
const BYTES = "\u0000bytes";

export function encode(value: StoreCall | StoreAnswer): string {
  return JSON.stringify(value, (_, inside) => {
    if (inside === Number.POSITIVE_INFINITY) return INFINITY;
    return inside instanceof Uint8Array ? { [BYTES]: [...inside] } : inside;
  });
}

export function decode<T extends StoreCall | StoreAnswer>(text: string): T {
  return JSON.parse(text, (_, inside) => {
    if (inside === INFINITY) return Number.POSITIVE_INFINITY;
    const bytes = typeof inside === "object" && inside !== null ? inside[BYTES] : undefined;
    return Array.isArray(bytes) ? Uint8Array.from(bytes) : inside;
  });
}
