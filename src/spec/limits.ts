/** Bounds on what `parseConfig` will look at. A configuration is written by people; each bound is far above any real one. */

/** Characters of one file. A service with a dozen groups and long scripts is under 20 KiB. */
export const MAX_TEXT_CHARS = 128 * 1024;

/**
 * Words, signs, line ends and indents as YAML's reader cuts the text. A line of a service has about four, so this is a
 * file of thousands of lines; the worst text of as many takes the reader a tenth of a second, in which nobody else is
 * served.
 */
export const MAX_TOKENS = 20_000;

/** Collections inside one another. The language itself needs seven; YAML's reader is recursive and must not overflow. */
export const MAX_DEPTH = 32;

/** Scalars and collections after aliases are followed, so that a few nested aliases cannot stand for billions. */
export const MAX_NODES = 20_000;

/** Characters of all scalars after aliases are followed: as above, where the text is long instead of nested. */
export const MAX_EXPANDED_CHARS = 2 * MAX_TEXT_CHARS;

/**
 * Characters, about, of what a file means: each of a service's groups has all that the service says for them, so that
 * little text can mean much. It is one row of the database, which is read whenever the project is.
 */
export const MAX_SPEC_CHARS = 1024 * 1024;

/** Uses of anchors in one file. */
export const MAX_ALIASES = 100;

/** Problems reported for one file; beyond that nobody reads on, and a broken file has to stay cheap. */
export const MAX_ISSUES = 50;

/** Replicas of one group: the size that the decision code is measured at. */
export const MAX_REPLICAS = 10_000;

/** Hosts that one replica spans; the largest models of today take a dozen. */
export const MAX_HOSTS_PER_REPLICA = 256;

/** Probes of one group: they run for every replica all the time. */
export const MAX_PROBES = 10;

/** Characters of a group's commands with the arguments filled in: Linux takes no longer word, and the shell gets them as one. */
export const MAX_FILLED_CHARS = 128 * 1024 - 1;

/** Groups of one service. */
export const MAX_GROUPS = 64;

/** Ten years, in seconds: longer spans are slips, and their milliseconds still count exactly in a double. */
export const MAX_DURATION_S = 10 * 365 * 24 * 3600;

/** Characters of a file's own text that a message repeats. */
export const MAX_QUOTED_CHARS = 60;
