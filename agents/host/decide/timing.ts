/** Every span that the agent's decisions use, in milliseconds, with its reason. */

/** A process that ends at once is started again after this; doubled with each further end in a row. */
export const RESTART_DELAY_FIRST_MS = 1_000;
/** Back-off stops growing here: a crashing engine costs little at two starts a minute, and a cured one is back soon. */
export const RESTART_DELAY_MAX_MS = 30_000;
/** A run of this length was a success: the next end starts the back-off from the beginning. */
export const RESTART_RESET_MS = 5 * 60_000;
/** Ends are counted over this window; the controller replaces a replica after 3 of them. */
export const RECENT_ENDS_WINDOW_MS = 5 * 60_000;
/** Bound on the instants kept for that count; more ends than this in the window tell nothing new. */
export const RECENT_ENDS_MAX = 100;

/** Until a probe's first success it runs this often, whatever its interval: a start is seen within half a second. */
export const STARTING_PROBE_INTERVAL_MS = 500;
/** Failures in a row that end readiness. */
export const PROBE_FAILURES_MAX = 3;
/** A router is asked this often whether it would serve now. */
export const READINESS_INTERVAL_MS = 1_000;
/** Until a job listens on its port itself it is looked again this often, also where it has stopped to. */
export const PORT_INTERVAL_MS = 500;
/** And this often while it does. A stranger gets a port only once its job has let go of it, which is rare. */
export const PORT_LOOK_INTERVAL_MS = 5_000;
/** An engine that did not tell its role is asked again after this. */
export const IDENTIFY_INTERVAL_MS = 1_000;

/** An engine must be idle in two answers this far apart: a hand-off between two queues can hide from one look. */
export const IDLE_INTERVAL_MS = 1_000;
/** What a quiesced or given-up job may take from SIGTERM to its end before it is killed. */
export const STOP_GRACE_MS = 30_000;
/** SIGKILL is repeated this often while processes of a job live: one may have been forking when it came. */
export const KILL_INTERVAL_MS = 2_000;
/** A removal that did not succeed is tried again after this. */
export const REMOVE_INTERVAL_MS = 5_000;

/** Each listed worker is connected to this often, counted from one attempt's beginning to the next one's. */
export const REACH_INTERVAL_MS = 900;
/** And this soon again where the last attempt failed: one that took its time-out of half a second is followed at once. */
export const REACH_RETRY_INTERVAL_MS = 250;
/**
 * A worker that was not reached for this long since its last success is taken out of its routers. The interval and two
 * attempts that time out fit in exactly, and a tenth of a second is left for telling the router: two seconds in all,
 * whenever a host was cut off.
 */
export const REACH_LOST_MS = 1_900;
/** And not after fewer failed attempts than this: one lost packet takes nothing out. */
export const REACH_FAILURES_MIN = 2;
/**
 * Each listed worker is asked for an answer this often: its host accepts connections for a process that stands still.
 * Less often than it is connected to, since every answer may be a line in the worker's log.
 */
export const HEAR_INTERVAL_MS = 2_000;

/** A router's list is read this often; a restart of the router is seen by its incarnation, not by this. */
export const ROUTER_LIST_INTERVAL_MS = 1_000;
/** Until a router has answered for the first time it is asked this often. */
export const ROUTER_STARTING_INTERVAL_MS = 250;
/** After changes the list is read again this soon: SMG lists a living worker 20-50 ms after it was told of it. */
export const ROUTER_CHANGED_INTERVAL_MS = 100;
/** A worker that was offered and is still not listed is offered again after this. */
export const ROUTER_OFFER_INTERVAL_MS = 5_000;
/** An offer that was withdrawn before it was listed may still come up in the list for this long. */
export const ROUTER_OFFER_SETTLED_MS = 2_000;
/** Changes asked of one router at once; the rest follows with the next reading of its list. */
export const ROUTER_CHANGES_MAX = 16;

/** Jobs are looked at this often although nothing announced a change, in case an announcement was lost. */
export const LOOK_INTERVAL_MS = 5_000;
/** The same without any job. */
export const LOOK_IDLE_INTERVAL_MS = 30_000;
