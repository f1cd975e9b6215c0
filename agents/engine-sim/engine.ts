import type { Clock } from "./clock.ts";
import { EngineError } from "./errors.ts";
import { transferFaults } from "./faults.ts";
import type { Load } from "./load.ts";
import { tokenizeMs } from "./model.ts";
import { Rank } from "./rank.ts";
import type { GenerateRequest, Meeting, Strand } from "./request.ts";
import { DecodeRole } from "./roles/decode.ts";
import { PrefillRole } from "./roles/prefill.ts";
import type { Outcome, Role } from "./roles/role.ts";
import { UnifiedRole } from "./roles/unified.ts";
import { Rooms } from "./rooms.ts";
import type { Step } from "./scheduler.ts";
import type { Settings } from "./settings.ts";
import { NO_TELEMETRY, type Telemetry } from "./telemetry.ts";

/** Host of a warm-up or health request, which meets nobody. */
const FAKE_HOST = "2.2.2.2";

/** Told of each step that the original would log. */
export type OnLog = (rank: number, step: Step, load: Load) => void;

/** The engine: requests in, tokens out, in the time that the profile says. */
export class Engine {
  readonly ranks: readonly Rank[];
  readonly rooms: Rooms;
  private readonly settings: Settings;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly role: Role;
  private turn = 0;
  private hangs = false;

  constructor(settings: Settings, clock: Clock, onLog: OnLog = () => {}, telemetry: Telemetry = NO_TELEMETRY) {
    this.settings = settings;
    this.clock = clock;
    this.telemetry = telemetry;
    this.rooms = new Rooms(clock);
    this.ranks = Array.from(
      { length: settings.dpSize },
      (_, index) => new Rank(index, settings, clock, (step, load) => onLog(index, step, load)),
    );
    const transferFails = transferFaults(settings.faults.transferProbability, settings.seed);
    if (settings.mode === "prefill") {
      this.role = new PrefillRole(settings, clock, telemetry, { rooms: this.rooms, transferFails });
    } else if (settings.mode === "decode") this.role = new DecodeRole(settings, clock, telemetry);
    else this.role = new UnifiedRole(clock, telemetry);
  }

  /** Whether no step ends any more. */
  get isHung(): boolean {
    return this.hangs;
  }

  /** From now on no step ends. */
  hang(): void {
    this.hangs = true;
    for (const rank of this.ranks) rank.scheduler.stall();
  }

  /**
   * Serves a request, each of its answers. `onToken` is called for each token of each answer, both from 0.
   * @throws EngineError when it is refused or fails; the signal's reason when the client left
   */
  async generate(
    request: GenerateRequest,
    onToken: (answer: number, index: number) => void,
    signal: AbortSignal,
  ): Promise<Outcome[]> {
    const { mode } = this.settings;
    if (mode !== "null" && request.strands.some(({ meeting }) => meeting === null)) {
      throw new EngineError(400, "Disaggregated request received without bootstrap room id");
    }
    const ranks = request.strands.map((strand) => this.rankFor(request, strand));
    this.refuseWhenFull(ranks);
    const start = this.clock.now();
    await this.clock.sleep(tokenizeMs(request.promptCharacters), signal);
    this.telemetry.stage(ranks[0]?.index ?? 0, "request_process", this.clock.now() - start);
    // When one answer fails the request has failed, and the others are given up.
    const failed = new AbortController();
    const until = request.strands.length > 1 ? AbortSignal.any([signal, failed.signal]) : signal;
    const jobs = request.strands.map((strand, answer) =>
      this.role.serve({
        strand: { ...strand, meeting: this.peerless(strand.meeting) ? null : strand.meeting },
        rank: ranks[answer] as Rank,
        onToken: (index) => onToken(answer, index),
        signal: until,
      }),
    );
    try {
      return await Promise.all(jobs);
    } catch (error) {
      failed.abort(error);
      await Promise.allSettled(jobs);
      throw error;
    }
  }

  /** Forgets kept beginnings of prompts. @returns whether it did: not while requests run or wait */
  flushCache(): boolean {
    const isBusy = this.ranks.some(({ scheduler }) => scheduler.runningCount + scheduler.waitingCount > 0);
    if (!isBusy) for (const { scheduler } of this.ranks) scheduler.cache.clear();
    return !isBusy;
  }

  /** The rank that the request names; a prefill's goes by the room, as its decode expects; else they take turns. */
  private rankFor(request: GenerateRequest, strand: Strand): Rank {
    const count = this.ranks.length;
    if (request.rank !== null && request.rank >= count) {
      throw new EngineError(400, `there is no data-parallel rank ${request.rank} of ${count}`);
    }
    const byRoom = this.settings.mode === "prefill" && strand.meeting;
    if (!byRoom) this.turn = (this.turn + 1) % count;
    const own = byRoom ? Number(BigInt(byRoom.room) % BigInt(count)) : this.turn;
    return this.ranks[request.rank ?? own] as Rank;
  }

  /** Only where one engine does it all: with a prefill and a decode the router holds back. */
  private refuseWhenFull(ranks: Rank[]): void {
    const { maxQueuedRequests, mode } = this.settings;
    if (mode !== "null" || maxQueuedRequests === null) return;
    if (ranks.some(({ scheduler }) => scheduler.waitingCount >= maxQueuedRequests)) {
      throw new EngineError(503, "The request queue is full.");
    }
  }

  private peerless(meeting: Meeting | null): boolean {
    if (meeting === null || this.settings.transferBackend === "fake") return true;
    return meeting.room === "0" || meeting.host === FAKE_HOST || meeting.host === null;
  }
}
