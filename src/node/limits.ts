/** Every bound of the server's sockets, with its reason. */

/** A request's head is one packet or a few; whoever takes longer to write it means to hold a socket. */
export const HEADERS_TIMEOUT_MS = 15_000;

/** How often sockets are looked through for those that are late. */
export const TIMEOUT_CHECK_MS = 5_000;

/**
 * A whole request. Long, since a large upload over a thin line is not an attack; the request path ends one on which
 * nothing moves much sooner.
 */
export const REQUEST_TIMEOUT_MS = 60 * 60_000;

/**
 * A socket on which no byte moves either way, while a request is answered too: a reader that has stopped reading. Longer
 * than the ten minutes that the request path waits for a long prompt.
 */
export const SILENT_SOCKET_MS = 12 * 60_000;

/** Sockets that carry no request now. Beyond it the oldest is closed, those that never sent a request first. */
export const IDLE_CONNECTIONS_MAX = 1_024;

/** All sockets: 5,000 links, and twice as many requests. Each costs 10 to 20 KiB before anything is sent. */
export const CONNECTIONS_MAX = 16_384;

/**
 * Sockets that listen on the server's port. Of each one connection is accepted in a turn of the event loop, which costs a
 * tenth of a millisecond with the head of its request, so that a turn grows by a few at most.
 */
export const LISTENING_SOCKETS = 64;

/**
 * Connections that wait at each of them to be accepted. A connection for which there is no room is tried again by its
 * sender's kernel after 1 s, 3 s, 7 s and so on. Linux gives less where `net.core.somaxconn` says so; that is its default.
 */
export const BACKLOG = 4_096;

/**
 * A connection is kept for its next request. A host without a link comes every 2 to 20 s; to accept it anew each time would
 * take longer than to answer it.
 */
export const KEPT_ALIVE_MS = 30_000;

/** Open files that are not for callers: the database, and what Node needs itself. */
export const FILES_KEPT = 256;

/** How long a refused upgrade may take to read why, before its socket is cut. */
export const REFUSED_SOCKET_MS = 1_000;

/** How long the other end of a link may take to confirm that it is closed; then the socket is cut. */
export const LINK_CLOSE_MS = 2_000;

/** Links whose agents are being authenticated at a time: a database that is not in this process is asked no more at once. */
export const LINKS_OPENING_MAX = 32;

/**
 * Links that are begun in one turn of the event loop. Each costs about a millisecond until its first report is taken in,
 * and whoever else asks for something waits for that long.
 */
export const LINKS_BEGUN_IN_A_TURN = 8;

/** Agents that wait to be let in, each with a socket of which nothing was answered. */
export const LINKS_WAITING_MAX = 8_192;

/** The longest that one waits. An agent gives up 20 s after it has dialled, and may have waited to be accepted before. */
export const LINK_WAIT_MS_MAX = 8_000;

/** Those who find no place come back at this pace: half of what one core takes in, and ten thousand within 20 s. */
export const LINKS_RETURNING_PER_S = 500;

/** The longest that an agent is told to wait: more than that many come back at once only where they dial in vain. */
export const RETRY_LINK_S_MAX = 20;
