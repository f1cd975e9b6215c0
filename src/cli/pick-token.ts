import type { TokenView } from "../control/views/views.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import { oneLine } from "./style.ts";

/** What every token looks like, whatever its kind. */
const IS_TOKEN = /^hr[a-z]_[\w-]{43}$/;

/**
 * @param word a token's id, or its name if no other that can be used has it
 * @throws CliError when no token or more than one is meant, or when the word is a token itself
 */
export function pickToken(tokens: TokenView[], word: string): TokenView {
  const byId = tokens.find((token) => token.id === word);
  const byName = tokens.filter((token) => token.state === "usable" && token.name === word);
  if (byId) return byId;
  if (byName.length > 1) {
    const ids = byName.map((token) => token.id).join(", ");
    throw new CliError(EXIT.usage, `${byName.length} tokens are named ${word}: give the id of one, ${ids}.`);
  }
  if (!byName[0])
    throw new CliError(EXIT.notFound, `There is no token ${oneLine(word)} in use: see headrace token list.`);
  return byName[0];
}

/** Others can read a command line, and nobody but its holder knows which token it is. @throws CliError */
export function refuseTokenItself(word: string): void {
  if (!IS_TOKEN.test(word)) return;
  throw new CliError(
    EXIT.usage,
    "That is a token itself: other users of the machine can read it there, and your shell keeps it.",
    "Nothing was sent. `headrace token list` shows the id and the name of each, which say which one is meant.",
  );
}
