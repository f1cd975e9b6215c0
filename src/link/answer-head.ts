import { LinkError } from "./errors.ts";
import type { LinkAnswerHead } from "./types.ts";

/**
 * Checks the head of an answer. Written by hand since it runs for every request, at both ends of every link.
 * @throws LinkError `protocol`.
 */
export function answerHead(value: unknown): LinkAnswerHead {
  const head = value as Partial<LinkAnswerHead> | null;
  if (typeof head !== "object" || head === null || !isStatus(head.status) || !isHeaders(head.headers)) {
    throw new LinkError("protocol", "the other end of the link answered with a head that is not one");
  }
  return { status: head.status, headers: head.headers };
}

function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 599;
}

function isHeaders(value: unknown): value is [string, string][] {
  return Array.isArray(value) && value.every(isPair);
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && typeof value[1] === "string";
}
