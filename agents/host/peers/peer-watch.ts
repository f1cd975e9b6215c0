import type { PeerList, PeersReport } from "../../../src/wire/index.ts";
import { reachPort } from "../reach-port.ts";
import { sameJson } from "../same-json.ts";
import { describeUnreached, followList, noteLook, type Targets } from "./weigh.ts";
import { CONNECT_MS, wordsOf } from "./words.ts";

/** Connections that are tried at a time: a host of a fleet that is all silent costs one second for each so many ports. */
const LOOKS_AT_A_TIME = 16;

interface PeerWatchParts {
  /** What is to be reported is another thing than before. */
  changed: () => void;
  /** In ms, forward only. */
  now: () => number;
}

/**
 * Tries whether the hosts that the control plane names are reached from here: connects and closes again, to their
 * addresses and ports and no others. Nothing is sent, and nothing has to listen on the other side.
 */
export class PeerWatch {
  readonly #parts: PeerWatchParts;
  #list: PeerList | null = null;
  #listAt = 0;
  #targets: Targets = new Map();
  #round = 0;
  #unreached: PeersReport["unreached"] = [];
  #looking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: PeerWatchParts) {
    this.#parts = parts;
  }

  /** Tries the hosts of this list from now on, and no others. */
  want(list: PeerList): void {
    this.#list = list;
    this.#listAt = this.#parts.now();
    this.#targets = followList(this.#targets, list, this.#listAt);
    this.#tell();
    this.#arm();
  }

  report(): PeersReport {
    return { tag: this.#list?.tag ?? "", round: this.#round, unreached: this.#unreached };
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#looking;
  }

  #arm(): void {
    if (this.#closed || this.#looking !== null || this.#list === null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    let at = this.#listAt + this.#list.roundMs;
    for (const { nextAt } of this.#targets.values()) at = Math.min(at, nextAt);
    this.#timer = setTimeout(() => this.#begin(), Math.max(0, at - this.#parts.now()));
    this.#timer.unref();
  }

  #begin(): void {
    this.#looking = this.#look().finally(() => {
      this.#looking = null;
      this.#arm();
    });
  }

  async #look(): Promise<void> {
    const now = this.#parts.now();
    const due = [...this.#targets.values()].filter(({ nextAt }) => nextAt <= now).slice(0, LOOKS_AT_A_TIME);
    await Promise.all(
      due.map(async (target) => {
        const outcome = await reachPort(target.address, target.port, CONNECT_MS);
        noteLook(target, wordsOf(outcome), this.#list?.everyMs ?? CONNECT_MS, this.#parts.now());
      }),
    );
    this.#endRound();
    this.#tell();
  }

  /** When the time of a list is over others may have their turn. */
  #endRound(): void {
    if (this.#list === null || this.#parts.now() < this.#listAt + this.#list.roundMs) return;
    this.#listAt = this.#parts.now();
    this.#round += 1;
    this.#parts.changed();
  }

  #tell(): void {
    const unreached = describeUnreached(this.#targets);
    if (sameJson(unreached, this.#unreached)) return;
    this.#unreached = unreached;
    this.#parts.changed();
  }
}
