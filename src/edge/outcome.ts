import { refusalOf } from "../control/refusal.ts";
import { ControlError } from "../control/types.ts";
import type { Outcome } from "./stubs.ts";

/** What a call came to, refusals included, as a value that can go to another object. */
export async function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work };
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    const { code, message, issues } = refusal;
    return { refused: { code, message, issues } };
  }
}

/** @throws ControlError when it was refused */
export function accepted<T>(outcome: Outcome<T>): T {
  if ("value" in outcome) return outcome.value;
  const { code, message, issues } = outcome.refused;
  throw new ControlError(code, message, issues);
}
