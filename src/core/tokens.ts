import type { Answer, Input } from "./input.ts";
import type { StepContext } from "./step.ts";

/**
 * Tells the journal who made or revoked a token. Nothing is decided of tokens here: they are looked up before their
 * project is known, and that one admin's is left only the database can say.
 */
export function tellOfToken(
  { draft }: StepContext,
  { kind, token, actor }: Extract<Input, { kind: "token_made" | "token_revoked" }>,
): Answer {
  const [type, what] = kind === "token_made" ? ["token.made", "was made"] : ["token.revoked", "was revoked"];
  const whose = token.fleet === null ? token.kind : `${token.kind}, fleet ${token.fleet}`;
  draft.event({ type, message: `token ${token.name} (${whose}, id ${token.id}) ${what} by ${actor}` });
  return { kind: "done" };
}
