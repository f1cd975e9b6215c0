/** What a process of simulated agents is told, and what it answers; between processes, so plain data. */

/** Times are milliseconds on `sharedNowMs`. */
export type Order =
  /** Joins as many hosts as there are tokens, a few at a time. */
  | { kind: "join"; server: string; tokens: string[]; firstName: number }
  /** Takes over hosts that have joined already. */
  | { kind: "adopt"; server: string; project: string; hosts: JoinedHost[] }
  /** Opens every link, and is done when each agent's first sync was answered. */
  | { kind: "link" }
  /** Each agent syncs once, at a random moment of the next so many milliseconds: as if they had joined over a long time. */
  | { kind: "spread"; overMs: number }
  /** What was seen since it was asked for last. */
  | { kind: "seen" }
  /** Is done when every agent runs this many jobs and all of them are ready. */
  | { kind: "ready"; jobs: number }
  /** Is done when every agent was told of a job of this service. Answers with when. */
  | { kind: "told"; service: string }
  /** Cuts every link, as a load balancer that is started anew does. */
  | { kind: "cut" }
  /** Is done when every agent has synced over a link that was opened since. Answers with when. */
  | { kind: "back"; since: number };

/** A host with its own credential. */
export interface JoinedHost {
  host: string;
  credential: string;
  serial: number;
}

export interface Seen {
  /** How long each sync took, from its sending to its answer. */
  syncMs: number[];
  /** Syncs that were refused or not answered. */
  failed: number;
  /** The last of them, in words. */
  failure: string | null;
  /** Attempts to open a link that the server refused. */
  refused: number;
  /** Syncs that were sent by requests of their own. */
  posted: number;
  /** How many agents have synced over the link that they have now. */
  linked: number;
}

export interface Answer {
  /** For `told` and `back`: when, of each agent. */
  at: number[];
  /** For `seen`. */
  seen: Seen | null;
}
