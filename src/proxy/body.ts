import type { BodyFlow } from "../link/types.ts";
import { Refusal } from "./errors.ts";
import { headerOf } from "./headers.ts";
import { Intake } from "./intake.ts";
import { KEPT_BODIES_BYTES_MAX, KEPT_BODY_BYTES_MAX } from "./limits.ts";

/**
 * A request's body. `kept` can be sent again; a `stream` can be sent once, because it is large, or because the bodies
 * kept by this process are at their bound.
 */
export type RequestBody =
  | { kind: "none" }
  | { kind: "kept"; bytes: Uint8Array }
  | { kind: "stream"; flow: BodyFlow; contentLength: number | null };

/** The memory that kept bodies take, all together. */
export class KeptBodies {
  #bytes = 0;

  /** @returns whether there was room; then it must be released. */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > KEPT_BODIES_BYTES_MAX) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * Takes a request's body, whole where it is small.
 * @param moved is told whenever something of it came.
 * @returns the body, and what it reserved, to be released with the request.
 */
export async function takeBody(
  source: BodyFlow | null,
  contentLength: number | null,
  kept: KeptBodies,
  moved: () => void,
): Promise<{ body: RequestBody; reservedBytes: number }> {
  if (source === null || contentLength === 0) return { body: { kind: "none" }, reservedBytes: 0 };
  const intake = new Intake(source, moved);
  const reservedBytes = contentLength ?? KEPT_BODY_BYTES_MAX;
  if (reservedBytes > KEPT_BODY_BYTES_MAX || !kept.reserve(reservedBytes)) {
    return { body: { kind: "stream", flow: intake, contentLength }, reservedBytes: 0 };
  }
  try {
    const bytes = await intake.gather(KEPT_BODY_BYTES_MAX);
    if (bytes !== null && bytes.byteLength > 0) return { body: { kind: "kept", bytes }, reservedBytes };
    kept.release(reservedBytes);
    const body: RequestBody = bytes === null ? { kind: "stream", flow: intake, contentLength } : { kind: "none" };
    return { body, reservedBytes: 0 };
  } catch (error) {
    kept.release(reservedBytes);
    throw error;
  }
}

/** What the client says of its body; null: it comes in chunks until it ends. */
export function lengthOf(headers: [string, string][]): number | null {
  const value = headerOf(headers, "content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

/**
 * The `model` that a body names.
 * @throws Refusal 400, or 413 for a body that is too large to look into.
 */
export function modelOf(body: RequestBody): string {
  if (body.kind === "stream") {
    throw new Refusal(
      413,
      "body_too_large",
      `only bodies of up to ${KEPT_BODY_BYTES_MAX} bytes are read for their model; send larger ones to /proxy/services/<project>/<service>/...`,
    );
  }
  const parsed = body.kind === "none" ? null : parsedJson(body.bytes);
  const model = typeof parsed === "object" && parsed !== null ? (parsed as { model?: unknown }).model : undefined;
  if (typeof model === "string" && model !== "") return model;
  throw new Refusal(400, "model_missing", 'the body must name a model: {"model": "<name>", ...}', "model");
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Refusal(400, "invalid_json", "the body is not JSON");
  }
}
