import type { CommitBatch } from "../../../src/store/types.ts";
import type { Ledger } from "../ledger.ts";
import type { Asked } from "../users.ts";

/** What a user was told is done is in the journal, and the same key always gets the same answer. */
export function acknowledgedOnce(
  ledger: Ledger,
  asked: Asked,
  answer: { version: number; text: string },
): string | null {
  const consumed = ledger.consumed.get(`request/${asked.key}`);
  if (consumed === undefined) return `${asked.key} was acknowledged and is in no commit`;
  if (consumed !== answer.version) {
    return `${asked.key} was acknowledged with version ${answer.version} and is in commit ${consumed}`;
  }
  if (asked.answer === null) return null;
  if ("refused" in asked.answer) return `${asked.key} was refused first (${asked.answer.refused}) and done later`;
  return asked.answer.text === answer.text
    ? null
    : `${asked.key} got two answers: ${asked.answer.text}, ${answer.text}`;
}

/** No input is consumed by two commits. The ledger has taken the commit in already. */
export function consumedOnce(ledger: Ledger, batch: CommitBatch): string | null {
  const twice = batch.inputs.find((input) => ledger.consumed.get(input) !== batch.version);
  return twice === undefined
    ? null
    : `${twice} is consumed in commit ${ledger.consumed.get(twice)} and ${batch.version}`;
}
