/** Every bound of the API, with its reason. */

/** A YAML text (256 KiB at most, twice that when escaped as JSON) with its passed-through environment. */
export const CONFIG_BODY_BYTES_MAX = 1024 * 1024;

/** A join request carries the inventory: up to 1,024 accelerators of about 100 bytes each, and its warnings. */
export const JOIN_BODY_BYTES_MAX = 256 * 1024;

/** A secret of 16 Ki characters, each of which JSON may need six bytes for. */
export const SECRET_BODY_BYTES_MAX = 128 * 1024;

/** Uploads of one project at a time, each of which holds a body of 4 MiB; the command line sends one after another. */
export const UPLOADS_PER_PROJECT_MAX = 4;

/** Files that hosts of one project fetch at a time, each an answer of 4 MiB; a host that finds no place asks again. */
export const FETCHES_PER_PROJECT_MAX = 32;

/** Every other body is a handful of short fields. */
export const BODY_BYTES_MAX = 64 * 1024;

/**
 * Requests of one project under way at a time, its streams among them. Each can hold a body of 1 MiB, or an answer of
 * as much that nobody reads; of larger bodies fewer are let in.
 */
export const REQUESTS_PER_PROJECT_MAX = 256;

/**
 * A request that is not answered by then is refused. A commit takes milliseconds, and this is before clients and most
 * proxies give up by themselves, who could not say why.
 */
export const ANSWER_WITHIN_MS = 25_000;

/** Syncs of one project by requests, most of which wait for their turn with their bodies unread. */
export const SYNCS_PER_PROJECT_MAX = 1_024;

/** Syncs of one host under way: it sends one at a time, and another when it has given the first up. */
export const SYNCS_PER_HOST_MAX = 2;

/** Streams (followers of commits and of logs) that one project may hold open; each costs a socket and a buffer. */
export const STREAMS_PER_PROJECT_MAX = 100;

/** Proxies cut a connection that says nothing for 30 to 100 s; half the shortest of them. */
export const HEARTBEAT_MS = 15_000;

/** Commits in one page of the journal: about 200 KiB of JSON when every commit holds a few events. */
export const JOURNAL_PAGE_MAX = 500;

/** The wire's own bound on lines of a log asked for. */
export const TAIL_LINES_MAX = 10_000;

/** A follower of commits is sent away after an hour, so that an expired token stops reading; it comes back by itself. */
export const FOLLOW_MS_MAX = 3_600_000;

/** Each may be packing a Node as it is sent: a core for 2.5 s, more slowly where the host takes it more slowly. */
export const INSTALL_DOWNLOADS_MAX = 8;
