/** Undoing escapes more often than this is never needed by anyone honest. */
const UNESCAPE_ROUNDS_MAX = 4;

/** In front of a router only these pass: its worker API is nobody's. */
const ROUTER_PATHS = ["/generate", "/chat/completions"];
const ROUTER_PREFIX = "/v1/";

export interface ServicePath {
  project: string;
  service: string;
  /** What the service sees, `/...`, without the query. */
  path: string;
}

/** Reads `<base>/services/<project>/<service>/<path>`. @param pathname as `URL` gives it. @returns null: no such form. */
export function servicePath(pathname: string): ServicePath | null {
  const found = /^.*?\/services\/([^/]+)\/([^/]+)(\/.*)?$/.exec(pathname);
  if (!found) return null;
  return { project: found[1]!, service: found[2]!, path: found[3] ?? "/" };
}

/** Segments of letters, digits and `.`, `_`, `~`, `-`, none of which begins with a dot: there is one way to spell it. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\/?$/;

/** Whether a path is as every reader spells it. Almost all are, and need no closer look. */
export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path);
}

/**
 * The one spelling of a path: no empty or dot segments, no escapes where none is needed. What was checked in this
 * spelling is also what is sent.
 * @returns null for a path that has none: a broken escape, a control character, a backslash.
 */
export function canonicalPath(path: string): string | null {
  if (isPlainPath(path)) return path;
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.includes("\\") || /%(?![0-9a-fA-F]{2})/.test(path)) return null;
  const plain = path.replace(/%([0-9a-fA-F]{2})/g, (escaped, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase();
  });
  return withoutDots(plain);
}

/**
 * Whether a canonical path may go to a router. It must be allowed as it stands and as the most careless reader could
 * take it: with every escape undone, over and over.
 */
export function allowedAtRouter(path: string): boolean {
  let careless = path;
  for (let round = 0; round < UNESCAPE_ROUNDS_MAX; round++) {
    // Some servers drop control characters, or end at one.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    if (/[\x00-\x1f\x7f]/.test(careless)) return false;
    // Some take `..;x` for `..`.
    if (!isInference(withoutDots(careless.replaceAll("\\", "/").replace(/;[^/]*/g, "")))) return false;
    const next = careless.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (next === careless) return true;
    careless = next;
  }
  return false;
}

function isInference(path: string): boolean {
  return path.startsWith(ROUTER_PREFIX) || ROUTER_PATHS.includes(path);
}

function withoutDots(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}${kept.length > 0 && path.endsWith("/") ? "/" : ""}`;
}
