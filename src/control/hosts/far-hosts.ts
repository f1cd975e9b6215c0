import type { LinkEnd } from "../../link/types.ts";

/**
 * The hosts of a project, for a controller in whose process no link ends. Each host is watched where its link ends; from
 * there the controller is told when it comes and goes, and sent what is news.
 */
export interface FarHosts {
  /** Hosts that were there when this controller came to be; `link` is null where a host syncs without one. */
  here(): Iterable<{ host: string; link: LinkEnd | null }>;
  /** Hosts that went before this controller came to be and have not come back; times as `Presence.linkClosed` has them. */
  gone(): Iterable<{ host: string; at: number; silentMs: number }>;
  /**
   * Tells a host's end, linked or not, that what the host shall run may have changed, and that its next report is wanted
   * whether it has news or not. Keeps its own bounds; what it could not tell it tells again.
   */
  wake(host: string): void;
  /**
   * Since when the project's hosts are listened to without a gap, in milliseconds since 1970. It outlives a controller
   * that is put away while nothing happens.
   */
  listeningSince(): number;
}
