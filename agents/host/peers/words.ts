/** How long a host has to accept or refuse a connection; within a data centre either takes a millisecond. */
export const CONNECT_MS = 1_000;

/** A port that nothing listens on is refused by its host, which was reached then. */
const REACHED = new Set(["ECONNREFUSED", "ECONNRESET"]);

const WORDS: Record<string, string> = {
  timeout: `no answer in ${CONNECT_MS / 1_000} s`,
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route to it, or a firewall forbids it",
  EHOSTDOWN: "no route to it",
  ENETUNREACH: "no route to its network",
  EACCES: "a firewall here forbids it",
  EPERM: "a firewall here forbids it",
  ENOTFOUND: "its name is not known here",
  EAI_AGAIN: "its name cannot be looked up here",
};

/**
 * What the end of an attempt to connect says of the way to the other host.
 * @param outcome null for a connection, else the code of the error or `timeout`
 * @returns null: it was reached; words: it was not; undefined: nothing, as where this process has no sockets left
 */
export function wordsOf(outcome: string | null): string | null | undefined {
  if (outcome === null || REACHED.has(outcome)) return null;
  return WORDS[outcome];
}
