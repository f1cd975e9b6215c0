import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** What clouds take as the key of a tag. */
export function readTagKey(written: string): Result<string> {
  if (/^[_\-a-zA-Z0-9]{1,60}$/.test(written) && written !== "__proto__") return good(written);
  return bad(`${quote(written)} cannot be the key of a tag; use 1 to 60 letters, digits, \`-\` and \`_\`.`);
}

/** What clouds take as the value of a tag; it may be empty. */
export function readTagValue(written: string): Result<string> {
  if (/^[a-zA-Z0-9 .:/=_\-+@]{0,256}$/.test(written)) return good(written);
  return bad(
    `${quote(written)} cannot be the value of a tag; use at most 256 letters, digits, spaces and \`.:/=_-+@\`.`,
  );
}
