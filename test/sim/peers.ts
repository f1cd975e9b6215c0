import { describeUnreached, followList, noteLook, type Targets } from "../../agents/host/peers/weigh.ts";
import { CONNECT_MS, wordsOf } from "../../agents/host/peers/words.ts";
import { sameJson } from "../../agents/host/same-json.ts";
import type { PeerList, PeersReport } from "../../src/wire/index.ts";
import type { Machine } from "./machine.ts";
import type { Cancel } from "./timeline.ts";

/** As in agents/host/peers/peer-watch.ts. */
const LOOKS_AT_A_TIME = 16;
/** What a connection takes that is made or refused. */
const REACHED_MS = 2;

/**
 * What an agent finds when it tries the hosts that it is told to. What follows from a look is the real code; that looks
 * are made, and end, is a model of agents/host/peers/peer-watch.ts in virtual time.
 */
export class Peers {
  private readonly machine: Machine;
  private readonly changed: () => void;
  private list: PeerList | null = null;
  private listAt = 0;
  private targets: Targets = new Map();
  private round = 0;
  private unreached: PeersReport["unreached"] = [];
  private looking = false;
  private cancel: Cancel = () => {};

  /** @param changed called when what is to be reported is another thing than before */
  constructor(machine: Machine, changed: () => void) {
    this.machine = machine;
    this.changed = changed;
  }

  /** The agent's process has ended. */
  close(): void {
    this.cancel();
    this.list = null;
  }

  want(list: PeerList): void {
    this.list = list;
    this.listAt = this.machine.clock();
    this.targets = followList(this.targets, list, this.listAt);
    this.tell();
    this.arm();
  }

  report(): PeersReport {
    return { tag: this.list?.tag ?? "", round: this.round, unreached: this.unreached };
  }

  private arm(): void {
    if (this.looking || this.list === null) return;
    this.cancel();
    let at = this.listAt + this.list.roundMs;
    for (const { nextAt } of this.targets.values()) at = Math.min(at, nextAt);
    this.cancel = this.machine.after(Math.max(0, at - this.machine.clock()), () => this.look());
  }

  /** Looks at what is due at once; the next follow when the last of these has ended. */
  private look(): void {
    const { machine } = this;
    const now = machine.clock();
    const due = [...this.targets.values()].filter(({ nextAt }) => nextAt <= now).slice(0, LOOKS_AT_A_TIME);
    const looks = due.map((target) => ({ target, isReached: machine.world.network.connects(machine, target.address) }));
    this.looking = true;
    const tookMs = looks.every(({ isReached }) => isReached) ? REACHED_MS : CONNECT_MS;
    this.cancel = machine.after(tookMs, () => {
      this.looking = false;
      for (const { target, isReached } of looks) {
        const why = wordsOf(isReached ? "ECONNREFUSED" : "timeout");
        noteLook(target, why, this.list?.everyMs ?? CONNECT_MS, machine.clock());
      }
      this.endRound();
      this.tell();
      this.arm();
    });
  }

  private endRound(): void {
    if (this.list === null || this.machine.clock() < this.listAt + this.list.roundMs) return;
    this.listAt = this.machine.clock();
    this.round += 1;
    this.changed();
  }

  private tell(): void {
    const unreached = describeUnreached(this.targets);
    if (sameJson(unreached, this.unreached)) return;
    this.unreached = unreached;
    this.changed();
  }
}
