import type { Answer, RefusalCode } from "./input.ts";

/** @param message for people: why, and what to do instead */
export function refused(code: RefusalCode, message: string): Extract<Answer, { kind: "refused" }> {
  return { kind: "refused", code, message };
}

export function noHost(id: string): Answer {
  return refused("not_found", `there is no host ${id}: see headrace host list`);
}
