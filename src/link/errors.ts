/**
 * Why a link or one of its streams failed.
 * - `closed`: the link is gone, or was when the stream was asked for
 * - `reset`: the other end gave the stream up; the message is its reason
 * - `aborted`: our own side gave the stream up
 * - `busy`: too many streams are open; nothing was sent
 * - `too_large`: what should be sent does not fit into a frame; nothing was sent
 * - `protocol`: the other end broke the rules of framing, and the link was closed for it
 */
export type LinkErrorCode = "closed" | "reset" | "aborted" | "busy" | "too_large" | "protocol";

export class LinkError extends Error {
  override name = "LinkError";
  readonly code: LinkErrorCode;
  /** False: the other end has seen nothing of the request and its body was not touched, so it can go elsewhere. */
  readonly sent: boolean;

  constructor(code: LinkErrorCode, message: string, sent = true) {
    super(message);
    this.code = code;
    this.sent = sent;
  }
}

/** What went wrong, as one line for the other end. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
