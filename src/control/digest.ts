import { toHex } from "./bytes.ts";

/** Hex SHA-256 of a text. */
export type Digest = (text: string) => Promise<string>;

/** The platform's own. */
export async function sha256Hex(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}
