import { HOP_BY_HOP, REFUSED_HEADER } from "../wire/index.ts";

/** Headers of an answer as they go on: without those of one connection, and without words that are ours to say. */
export function answerHeaders(headers: [string, string][]): [string, string][] {
  return headers.filter(([name]) => name !== REFUSED_HEADER && !HOP_BY_HOP.has(name));
}
