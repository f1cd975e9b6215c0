import type { Answer } from "../core/input.ts";
import { type Caller, ControlError } from "./types.ts";

/** @param what that only an admin can do, e.g. `make tokens`. @throws ControlError `forbidden` to anybody else */
export function requireAdmin({ kind }: Caller, what: string): void {
  if (kind !== "admin") throw new ControlError("forbidden", `only an admin token can ${what}`);
}

/** The answer of the wanted kind. @throws ControlError with the refusal */
export function carriedOut<K extends Answer["kind"]>(answer: Answer, kind: K): Extract<Answer, { kind: K }> {
  if (answer.kind === "refused") throw new ControlError(answer.code, answer.message);
  if (answer.kind !== kind) throw new Error(`an answer is ${answer.kind}, not ${kind}`);
  return answer as Extract<Answer, { kind: K }>;
}

/** The answer to a change that was simply done: what was changed, and at which version. */
export function whenDone<T extends object>(changed: T): (answer: Answer, version: number) => T & { version: number } {
  return (answer, version) => {
    carriedOut(answer, "done");
    return { ...changed, version };
  };
}

/** That a key came again with something else. */
export function anotherRequest(): ControlError {
  return new ControlError("idempotency_mismatch", "this idempotency key was used for another request; use a new one");
}
