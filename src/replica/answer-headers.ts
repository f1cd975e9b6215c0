import { HOP_BY_HOP, REFUSED_HEADER } from "../wire/index.ts";

/** Headers of an answer as they go on: without those of one connection, and without words that are ours to say. */
export function answerHeaders(headers: Record<string, string | string[] | undefined>): [string, string][] {
  const pairs: [string, string][] = [];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name === REFUSED_HEADER || HOP_BY_HOP.has(name)) continue;
    if (typeof value === "string") pairs.push([name, value]);
    else for (const each of value) pairs.push([name, each]);
  }
  return pairs;
}
