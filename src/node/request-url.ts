import { isPlainPath } from "../proxy/paths.ts";
import type { RequestUrl } from "../proxy/types.ts";

/** What a URL takes over as it is. A lone "?" it does not. */
const PLAIN_SEARCH = /^(?:\?[A-Za-z0-9._~=&%+-]+)?$/;

/** Host headers as a URL spells them. There are few, and one after the other is mostly the same. */
let last: { header: string; host: string | null } = { header: "", host: null };

/**
 * The address of a request, as `URL` reads it. Its parser is asked only where it would change something.
 * @param target what the request line has
 * @param header its Host header
 * @returns null for what cannot be read
 */
export function requestUrl(target: string, header: string): RequestUrl | null {
  const query = target.indexOf("?");
  const pathname = query < 0 ? target : target.slice(0, query);
  const search = query < 0 ? "" : target.slice(query);
  if (!isPlainPath(pathname) || !PLAIN_SEARCH.test(search)) return URL.parse(target, `http://${header}`);
  if (last.header !== header) last = { header, host: URL.parse(`http://${header}`)?.host ?? null };
  return last.host === null ? null : { protocol: "http:", host: last.host, pathname, search };
}
