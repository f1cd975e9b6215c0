import { bad, good, type Result } from "../result.ts";

/**
 * One item of the list form: `NAME=value`, or `NAME` alone for a variable of whoever applies. Messages repeat the name
 * at most: the value may be a secret.
 */
export function readEnvItem(written: string): Result<{ name: string; value: string | null }> {
  const at = written.indexOf("=");
  const name = at === -1 ? written : written.slice(0, at);
  const checked = readEnvName(name);
  if (!checked.ok) return bad(checked.problem);
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    return bad(
      "This is no variable; write `NAME=value`, or `NAME` alone to pass it on, NAME of letters, digits and `_`.",
    );
  }
  return good({ name, value: at === -1 ? null : written.slice(at + 1) });
}

/** A key of the map form. Some programs read variables with dots or dashes, so only the impossible is refused. */
export function readEnvName(written: string): Result<string> {
  if (written !== "" && written !== "__proto__" && !/[=\0]/.test(written)) return good(written);
  return bad("This cannot be the name of a variable; use letters, digits and `_`, for example `MODEL_ID`.");
}
