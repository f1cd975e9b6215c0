import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** Python versions that the base image comes with. */
const FIRST_PYTHON_MINOR = 9;
const LAST_PYTHON_MINOR = 15;

/** `3.12`. YAML reads `3.10` as 3.1, which is no version that exists here, so 3.1 is taken as 3.10. */
export function readPython(written: string | number): Result<string> {
  const match = /^3\.(\d{1,2})$/.exec(String(written));
  const minor = match?.[1] === "1" ? 10 : Number(match?.[1] ?? Number.NaN);
  if (minor >= FIRST_PYTHON_MINOR && minor <= LAST_PYTHON_MINOR) return good(`3.${minor}`);
  const range = `3.${FIRST_PYTHON_MINOR} to 3.${LAST_PYTHON_MINOR}`;
  return bad(`Python ${quote(written)} is not one of ${range}; write for example \`"3.12"\`.`);
}

/** `user` or `user:group`, each a name or an id. */
export function readUnixUser(written: string): Result<string> {
  const part = "([a-zA-Z_][a-zA-Z0-9_.-]{0,63}\\$?|\\d{1,10})";
  if (new RegExp(`^${part}(:${part})?$`).test(written)) return good(written);
  return bad(
    `${quote(written)} is no user; write a name or id, with a group if need be: \`user\`, \`1000\` or \`user:group\`.`,
  );
}

export function readShell(written: string): Result<string> {
  if (written === "sh" || written === "bash" || isAbsolutePath(written)) return good(written);
  return bad(`${quote(written)} is no shell; write \`sh\`, \`bash\` or an absolute path such as \`/bin/zsh\`.`);
}

export function readAbsolutePath(written: string): Result<string> {
  if (isAbsolutePath(written)) return good(written);
  return bad(
    `${quote(written)} is not an absolute path; begin it with \`/\`, for example \`/${written.replace(/^[./]+/, "") || "app"}\`.`,
  );
}

export function isAbsolutePath(path: string): boolean {
  return path.startsWith("/");
}
