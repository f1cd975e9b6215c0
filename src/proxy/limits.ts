/** How long a service's entry, and a token's permission, is believed before it is asked for again. */
export const ENTRY_LIFE_MS = 2_000;

/**
 * That something is not there, and what is there in all, is believed for this long only: whoever asks has perhaps just
 * been told that it is ready. No shorter, since names that nobody has cost as much.
 */
export const ABSENCE_LIFE_MS = 100;

/** An entry that cannot be read again (the database is away) serves on this long: requests outlive the control plane. */
export const ENTRY_STALE_MS_MAX = 60_000;

/** Entries and permissions held at a time; the oldest go first. */
export const CACHED_MAX = 10_000;

/** A request or answer on which nothing moves for this long is given up. Long prompts prefill for minutes. */
export const IDLE_MS_MAX = 10 * 60_000;

/** A body up to this size is kept, so that its request can go to another target when the first fails. */
export const KEPT_BODY_BYTES_MAX = 1024 * 1024;

/** All kept bodies together; when they are at it, bodies are passed on without being kept. */
export const KEPT_BODIES_BYTES_MAX = 64 * 1024 * 1024;

/** Requests under way on one host's link: half of what the link carries, so that syncs, logs and wakes get through. */
export const HOST_REQUESTS_MAX = 512;

/** Requests under way for one service, so that it cannot take this process from the others. */
export const SERVICE_REQUESTS_MAX = 2_048;

/** Targets tried for one request; what did not reach a replica costs little. */
export const ATTEMPTS_MAX = 5;

/** Attempts that may have reached a replica: a request that breaks engines must not go through all of them. */
export const DELIVERIES_MAX = 2;

/**
 * Targets looked at for one request, with those of which it turns out that their hosts have no link. On Workers each is a
 * request of the Worker, and the smallest plan allows 50: three rounds of these with what is asked in between fit.
 */
export const TARGETS_TRIED_MAX = 10;

/**
 * The longest that a request waits for the link of a host that is expected back. An agent dials again within a second,
 * and a server to which thousands come back after it was started anew lets most of them in within this.
 */
export const LINK_AWAITED_MS_MAX = 15_000;

/** Requests of one project that wait so: no more than one link takes when it comes (`HOST_REQUESTS_MAX`). */
export const PROJECT_LINK_WAITS_MAX = 512;

/** Of all projects together. */
export const LINK_WAITS_MAX = 4_096;

/** How often one request waits: a link that has come may be gone again. */
export const LINKS_AWAITED_MAX = 2;

/** What is kept of a router's answer while another router is asked: an error's few lines. */
export const TURNED_AWAY_BYTES_MAX = 8 * 1024;

/** What the wire takes (`openToAgent`), less those that the proxy adds. */
export const HEADERS_MAX = 180;

/** When to come back after a refusal that is about to pass. */
export const RETRY_AFTER_SECONDS = 1;
