import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** What SSH can be given to connect to: a name or an address. */
export function readHostname(written: string): Result<string> {
  if (/^[a-zA-Z0-9_:][a-zA-Z0-9_.:-]{0,252}$/.test(written)) return good(written);
  const user = written.includes("@") ? " The user is written as `user`." : "";
  return bad(`${quote(written)} is no name or address of a host; write one such as \`10.0.0.5\`.${user}`);
}

export function readLoginName(written: string): Result<string> {
  if (/^[a-zA-Z0-9_][a-zA-Z0-9_.@-]{0,63}$/.test(written)) return good(written);
  return bad(`${quote(written)} is no user to log in as; write one such as \`ubuntu\`.`);
}

/** A file of whoever applies; `~` is their home folder. */
export function readKeyFile(written: string): Result<string> {
  if (/BEGIN [A-Z ]*PRIVATE KEY/.test(written)) {
    return bad("This is a private key itself; keep it in a file that only you can read, and write the file's path.");
  }
  if (/^[^\0\r\n]{1,1024}$/.test(written)) return good(written);
  return bad("This is no path of a file; write one such as `~/.ssh/id_ed25519`.");
}
