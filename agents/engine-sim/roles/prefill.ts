import type { Clock } from "../clock.ts";
import { EngineError } from "../errors.ts";
import { TRANSFER_OVERHEAD_MS } from "../model.ts";
import type { Rank } from "../rank.ts";
import type { Meeting } from "../request.ts";
import { RequestSequence } from "../request-sequence.ts";
import type { Rooms } from "../rooms.ts";
import type { Settings } from "../settings.ts";
import type { Telemetry } from "../telemetry.ts";
import { untilAborted } from "../until-aborted.ts";
import { type Job, type Outcome, orTimedOut, type Role } from "./role.ts";
import { timeForward } from "./unified.ts";

/** Computes the prompt and the first token, once a decode has room for it, and sends the cache there. */
export class PrefillRole implements Role {
  private readonly settings: Settings;
  private readonly clock: Clock;
  private readonly telemetry: Telemetry;
  private readonly rooms: Rooms;
  private readonly transferFails: () => boolean;

  constructor(
    settings: Settings,
    clock: Clock,
    telemetry: Telemetry,
    { rooms, transferFails }: { rooms: Rooms; transferFails: () => boolean },
  ) {
    this.settings = settings;
    this.clock = clock;
    this.telemetry = telemetry;
    this.rooms = rooms;
    this.transferFails = transferFails;
  }

  async serve(job: Job): Promise<Outcome> {
    const sequence = new RequestSequence(job.strand, "prefill", () => {});
    const { meeting } = job.strand;
    try {
      const peer = meeting
        ? await this.handOver(job, meeting, sequence)
        : await this.compute(job, sequence, job.signal);
      job.onToken(0);
      return { finish: "length", tokens: 1, cachedTokens: sequence.cachedTokens, peer };
    } catch (error) {
      if (meeting) this.rooms.settle(meeting.room, { state: "failed", message: whyFailed(error, job.signal) });
      throw error;
    } finally {
      job.rank.scheduler.remove(sequence);
      job.rank.changed();
    }
  }

  /** @returns the decode's address */
  private async handOver(job: Job, meeting: Meeting, sequence: RequestSequence): Promise<string> {
    const start = this.clock.now();
    const { decode, abandoned } = await this.meet(job.rank, meeting, job.signal);
    const waitedMs = this.clock.now() - start;
    this.telemetry.stage(job.rank.index, "prefill_bootstrap", waitedMs);
    const until = AbortSignal.any([job.signal, abandoned]);
    await this.compute(job, sequence, until);
    await job.rank.queued("prefillInflight", this.send(job, meeting, waitedMs, until));
    this.rooms.settle(meeting.room, { state: "success", promptTokens: job.strand.promptTokens });
    return decode;
  }

  /** Waits until a decode has reserved cache for the prompt. */
  private async meet(rank: Rank, meeting: Meeting, signal: AbortSignal) {
    const timeout = this.clock.timeout(this.settings.environment.bootstrapTimeoutMs);
    try {
      const decode = this.rooms.decodeFor(meeting.room, AbortSignal.any([signal, timeout]));
      return await rank.queued("prefillBootstrap", decode);
    } catch (error) {
      if (!signal.aborted) this.telemetry.failed(rank.index, "bootstrap");
      throw orTimedOut(error, timeout, "prefill bootstrap");
    }
  }

  private async compute(job: Job, sequence: RequestSequence, signal: AbortSignal): Promise<null> {
    const { rank } = job;
    timeForward(sequence, rank.index, this.clock, this.telemetry);
    rank.scheduler.submit(sequence);
    rank.changed();
    await untilAborted(sequence.started, signal);
    const start = this.clock.now();
    await untilAborted(sequence.done, signal);
    this.telemetry.stage(rank.index, "prefill_forward", this.clock.now() - start);
    return null;
  }

  private async send(job: Job, meeting: Meeting, waitedMs: number, signal: AbortSignal): Promise<void> {
    const start = this.clock.now();
    const bytes = job.strand.promptTokens * this.settings.profile.kvBytesPerToken;
    await this.clock.sleep(TRANSFER_OVERHEAD_MS, signal);
    await job.rank.network.send(bytes, signal);
    const ms = this.clock.now() - start;
    if (this.transferFails()) {
      this.telemetry.failed(job.rank.index, "transfer");
      throw new EngineError(500, `KV transfer of room ${meeting.room} failed (simulated)`);
    }
    this.telemetry.stage(job.rank.index, "prefill_transfer_kv_cache", ms);
    this.telemetry.transferred(job.rank.index, bytes, ms, waitedMs);
  }
}

/** What the decode is told. */
function whyFailed(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "the client left the prefill";
  return error instanceof Error ? error.message : String(error);
}
