import { notYet } from "../later.ts";
import { bad, good, type Result } from "../result.ts";

/** The longest reference that a message repeats. */
const MAX_REFERENCE_CHARS = 80;

const OPENING = "${{";

/**
 * References such as `${{ secrets.X }}` are not filled in yet; left as they are they would reach the shell as nonsense.
 * The shell's own `$VAR`, `${VAR}` and `$$` are its business and pass untouched.
 */
export function refuseReferences(text: string): Result<string> {
  const start = text.indexOf(OPENING);
  if (start === -1) return good(text);
  const end = text.indexOf("}}", start);
  if (end === -1) return bad(`A \`${OPENING}\` is not closed; for a variable of the shell write \`$NAME\`.`);
  const reference = text.slice(start, Math.min(end + 2, start + MAX_REFERENCE_CHARS));
  return bad(
    `${notYet(`the reference \`${reference}\``)} A variable listed by its name alone in \`env\` (\`- NAME\`) is passed on, and commands reach it as \`$NAME\`.`,
  );
}
