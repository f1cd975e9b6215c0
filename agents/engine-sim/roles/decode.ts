import type { Clock } from "../clock.ts";
import { PrefillPeer } from "../prefill-peer.ts";
import type { Rank } from "../rank.ts";
import type { Meeting } from "../request.ts";
import { RequestSequence } from "../request-sequence.ts";
import type { Settings } from "../settings.ts";
import type { Stage, Telemetry } from "../telemetry.ts";
import { untilAborted } from "../until-aborted.ts";
import { type Job, type Outcome, orTimedOut, type Role } from "./role.ts";

/** Prefills a decode remembers; the oldest is forgotten first, which only costs a look-up. */
const PEERS_MAX = 1_000;

/** Reserves cache, tells the prefill, waits for the cache to come, and goes on from the first token. */
export class DecodeRole implements Role {
  private readonly settings: Settings;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly peers = new Map<string, PrefillPeer>();

  constructor(settings: Settings, clock: Clock, telemetry: Telemetry) {
    this.settings = settings;
    this.clock = clock;
    this.telemetry = telemetry;
  }

  async serve({ strand, rank, onToken, signal }: Job): Promise<Outcome> {
    const sequence = new RequestSequence(strand, "whole", onToken);
    const { meeting } = strand;
    try {
      const timeout = this.clock.timeout(this.settings.environment.waitingTimeoutMs);
      const until = AbortSignal.any([signal, timeout]);
      const peer = meeting && this.peer(this.addressOf(meeting));
      await this.orFail(rank.queued("decodePrealloc", this.prepare(rank, sequence, peer, until)), timeout, "prealloc");
      if (meeting && peer) {
        const arrival = this.timed(rank, "decode_transferred", peer.receive(meeting.room, this.settings.port, until));
        await this.orFail(rank.queued("decodeTransfer", arrival), timeout, "transfer", () => {
          if (!signal.aborted) this.telemetry.failed(rank.index, "transfer");
        });
      }
      sequence.onToken();
      if (sequence.produced < sequence.outputTokens) rank.join(sequence);
      await untilAborted(sequence.done, signal);
    } finally {
      rank.scheduler.remove(sequence);
      rank.changed();
    }
    const peer = meeting && this.addressOf(meeting);
    return { finish: strand.answer.finish, tokens: sequence.produced, cachedTokens: 0, peer };
  }

  private async prepare(rank: Rank, sequence: RequestSequence, peer: PrefillPeer | null, signal: AbortSignal) {
    if (peer) await this.timed(rank, "decode_prepare", peer.resolve(signal));
    await this.timed(rank, "decode_bootstrap", rank.scheduler.reserve(sequence, signal));
  }

  private async timed(rank: Rank, stage: Stage, work: Promise<void>): Promise<void> {
    const start = this.clock.now();
    await work;
    this.telemetry.stage(rank.index, stage, this.clock.now() - start);
  }

  private async orFail(work: Promise<void>, timeout: AbortSignal, queue: string, onFail = () => {}): Promise<void> {
    try {
      await work;
    } catch (error) {
      onFail();
      throw orTimedOut(error, timeout, `decode ${queue}`);
    }
  }

  private addressOf(meeting: Meeting): string {
    return `${meeting.host}:${meeting.port ?? this.settings.bootstrapPort}`;
  }

  private peer(address: string): PrefillPeer {
    const known = this.peers.get(address);
    if (known) return known;
    const [oldest] = this.peers.keys();
    if (this.peers.size >= PEERS_MAX && oldest !== undefined) this.peers.delete(oldest);
    const peer = new PrefillPeer(address, this.clock, this.settings.environment);
    this.peers.set(address, peer);
    return peer;
  }
}
