import type { SealedSecret } from "../store/types.ts";

/** Sealing of values that must not be readable in the database. Fulfilled by `seal.ts`. */
export interface SealBox {
  /** @param name bound into the sealed value, so that it cannot be put in the place of another */
  seal(project: string, name: string, plain: string): Promise<SealedSecret>;
  open(project: string, secret: SealedSecret): Promise<string>;
  /** Keyed hash of a text: equal texts have equal ones, and nobody without the key can test a guess. */
  mac(text: string): Promise<string>;
}

/** A line of the server's own log. Never holds secrets. */
export type Log = (level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>) => void;
