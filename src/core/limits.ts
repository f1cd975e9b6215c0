/** Times and bounds of the decisions. Milliseconds unless the name says otherwise. */

/** How long a proxy or gateway may go on using a service's routes after they changed. */
export const ROUTE_CACHE_MS = 2_000;

/** Silence of a host after which its replicas are replaced elsewhere. */
export const LOST_AFTER_MS = 30_000;

/**
 * A controller that has just begun to listen, or that hears most of a fleet again, gives agents this long to come back:
 * they wait up to 25 s between tries, and a try may take 20 s to fail.
 */
export const RETURN_AFTER_START_MS = 45_000;

/** A controller that is behind with what hosts have sent looks again this much later. */
export const LOOK_AGAIN_MS = 1_000;

/** This many hosts of a fleet at least, silent since times no further apart than the window, can be an outage of ours. */
export const MASS_SILENCE = { hostsMin: 2, windowMs: 60_000 } as const;

/** A replica that was ready and has been unready for this long is replaced. */
export const UNREADY_REPLACE_MS = 60_000;

/** This many ends within the agent's window of five minutes: the agent's restarts do not help, replace it. */
export const ENDS_TO_REPLACE = 3;

/** Drain deadline of a service that states neither `drain_timeout` nor `stop_duration`. */
export const DRAIN_DEFAULT_MS = 5 * 60_000;

/** Between the signal and the kill for a job that serves nobody any more. */
export const STOP_GRACE_MS = 30_000;

/** Wait before the nth replacement in a row of a group whose replicas fail: base * 2^(n-1), at most the maximum. */
export const REPLACE_BACKOFF_BASE_MS = 2_000;
export const REPLACE_BACKOFF_MAX_MS = 5 * 60_000;

/** How often a replica that fits nowhere is tried again, for what changes unseen (a port that became free). */
export const PLACE_RETRY_MS = 10_000;

/** Where a port is chosen when a claim's own is taken; below the kernel's range for outgoing connections. */
export const FLEXIBLE_PORTS = { first: 20_000, last: 29_999 };

/**
 * One in so many hosts of a fleet updates its agent at a time, at least one: a build that is bad on some hosts only stops
 * after few of them.
 */
export const UPDATING_SHARE = 10;

/** A host that came back on a build makes room for the next after this: it has synced and looked after its jobs by then. */
export const UPDATE_SETTLED_MS = 10_000;

/** A host that was told to update and has not come back by then is not waited for; it gives up itself in half of that. */
export const UPDATE_WITHIN_MS = 15 * 60_000;

/** A project's share of the control plane. */
export const SERVICES_PER_PROJECT_MAX = 500;
export const HOSTS_PER_PROJECT_MAX = 10_000;
/** Every decision about a silent host looks at its fleet, and a fleet stands for a room, a rack or a kind of machine. */
export const FLEETS_PER_PROJECT_MAX = 500;
export const REPLICAS_PER_GROUP_MAX = 1_000;
/** A service has a handful; each is an entity in the memory of the controller, its value is not. */
export const SECRETS_PER_PROJECT_MAX = 1_000;

/** Each is kept once more for every service that uses it, and travels to each of its hosts: a megabyte in all. */
export const SECRETS_PER_SERVICE_MAX = 64;

/** Jobs on one host: the wire carries twice as many, and a host of this size has tens. */
export const JOBS_PER_HOST_MAX = 500;

/** How much is kept of the reasons why nothing fits, or of the last words of what ended. */
export const REASON_LENGTH_MAX = 1_000;
