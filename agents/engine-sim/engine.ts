import type { Clock } from "./clock.ts";
import { EngineError } from "./errors.ts";
import { type Profile, tokenizeMs, transferMs } from "./model.ts";
import { PrefillPeer } from "./prefill-peer.ts";
import { noise } from "./random.ts";
import type { GenerateRequest, Meeting } from "./request.ts";
import { Rooms, untilAborted } from "./rooms.ts";
import { Scheduler, type SchedulerOptions, type Sequence } from "./scheduler.ts";
import type { Settings } from "./settings.ts";

export interface Outcome {
  finish: "stop" | "length";
  tokens: number;
  /** Who took the other half: the decode's address for a prefill and the other way round; null without one. */
  peer: string | null;
}

/** Requests by where they are; each is in one place. */
interface QueueCounts {
  running: number;
  waiting: number;
  prefillBootstrap: number;
  prefillInflight: number;
  decodePrealloc: number;
  decodeTransfer: number;
}

/** SGLANG_DISAGGREGATION_BOOTSTRAP_TIMEOUT: how long a prefill waits for a decode to reserve cache. */
const BOOTSTRAP_TIMEOUT_MS = 300_000;
/** SGLANG_DISAGGREGATION_WAITING_TIMEOUT: how long a decode waits for room, for its prefill and for the cache. */
const WAITING_TIMEOUT_MS = 300_000;

/** Host of a warm-up or health request, which meets nobody. */
const FAKE_HOST = "2.2.2.2";

/** Prefills a decode remembers; the oldest is forgotten first, which only costs a look-up. */
const PEERS_MAX = 1_000;

/** Standard deviation of a step's length. */
const STEP_SPREAD = 0.03;

/** The engine: requests in, tokens out, in the time that the profile says. */
export class Engine {
  private readonly settings: Settings;
  private readonly clock: Clock;
  private readonly profile: Profile;
  private readonly scheduler: Scheduler;
  readonly rooms: Rooms;
  private readonly peers = new Map<string, PrefillPeer>();
  private readonly queues = { prefillBootstrap: 0, prefillInflight: 0, decodePrealloc: 0, decodeTransfer: 0 };

  constructor(settings: Settings, clock: Clock, onStep: SchedulerOptions["onStep"]) {
    this.settings = settings;
    this.clock = clock;
    this.profile = settings.profile;
    this.rooms = new Rooms(clock);
    this.scheduler = new Scheduler({
      profile: settings.profile,
      maxRunning: settings.maxRunningRequests,
      maxTotalTokens: settings.maxTotalTokens,
      chunkedPrefillSize: settings.chunkedPrefillSize,
      maxPrefillTokens: settings.maxPrefillTokens,
      clock,
      noise: noise(settings.seed, STEP_SPREAD),
      onStep,
    });
  }

  counts(): QueueCounts {
    return { running: this.scheduler.runningCount, waiting: this.scheduler.waitingCount, ...this.queues };
  }

  get usedTokens(): number {
    return this.scheduler.kv.used;
  }

  /**
   * Serves a request. `onToken` is called for each token of the answer, from 0.
   * @throws EngineError when it is refused or fails; the signal's reason when the client left
   */
  async generate(request: GenerateRequest, onToken: (index: number) => void, signal: AbortSignal): Promise<Outcome> {
    const { mode } = this.settings;
    if (mode !== "null" && !request.meeting) {
      throw new EngineError(400, "Disaggregated request received without bootstrap room id");
    }
    this.refuseWhenFull(request);
    await this.clock.sleep(tokenizeMs(request.promptCharacters), signal);
    const meeting = request.meeting && isFake(request.meeting) ? null : request.meeting;
    if (mode === "prefill") return this.prefill(request, meeting, onToken, signal);
    if (mode === "decode") return this.decode(request, meeting, onToken, signal);
    const sequence = new RequestSequence(request.promptTokens, request.answer.tokens, onToken);
    this.scheduler.submit(sequence);
    await this.finished(sequence, signal);
    return { finish: request.answer.finish, tokens: sequence.produced, peer: null };
  }

  private refuseWhenFull(request: GenerateRequest): void {
    const longest = this.settings.maxTotalTokens;
    const needed = request.promptTokens + (this.settings.mode === "prefill" ? 1 : request.answer.tokens);
    if (needed > longest) throw new EngineError(400, `${needed} tokens do not fit into a cache of ${longest}`);
    const { maxQueuedRequests, mode } = this.settings;
    if (mode !== "null" || maxQueuedRequests === null) return;
    if (this.scheduler.waitingCount >= maxQueuedRequests) throw new EngineError(503, "The request queue is full.");
  }

  /** A prefill computes the prompt and the first token, once a decode has room for it, and sends the cache there. */
  private async prefill(
    request: GenerateRequest,
    meeting: Meeting | null,
    onToken: (index: number) => void,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const sequence = new RequestSequence(request.promptTokens, 1, () => {});
    if (!meeting) {
      this.scheduler.submit(sequence);
      await this.finished(sequence, signal);
      onToken(0);
      return { finish: "length", tokens: 1, peer: null };
    }
    try {
      const timeout = this.clock.timeout(BOOTSTRAP_TIMEOUT_MS);
      const waiting = this.rooms.decodeFor(meeting.room, AbortSignal.any([signal, timeout]));
      const { decode, abandoned } = await this.queued("prefillBootstrap", timeout, waiting);
      const until = AbortSignal.any([signal, abandoned]);
      this.scheduler.submit(sequence);
      await untilAborted(sequence.done, until);
      const ms = transferMs(this.profile, request.promptTokens, this.queues.prefillInflight + 1);
      await this.queued("prefillInflight", null, this.clock.sleep(ms, until));
      this.rooms.settle(meeting.room, { state: "success", promptTokens: request.promptTokens });
      onToken(0);
      return { finish: "length", tokens: 1, peer: decode };
    } catch (error) {
      const message = signal.aborted
        ? "the client left the prefill"
        : String(error instanceof Error ? error.message : error);
      this.rooms.settle(meeting.room, { state: "failed", message });
      throw error;
    } finally {
      this.scheduler.remove(sequence);
    }
  }

  /** A decode reserves cache, tells the prefill, waits for the cache to come, and goes on from the first token. */
  private async decode(
    request: GenerateRequest,
    meeting: Meeting | null,
    onToken: (index: number) => void,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const sequence = new RequestSequence(request.promptTokens, request.answer.tokens, onToken);
    const peer = meeting ? `${meeting.host}:${meeting.port ?? this.settings.bootstrapPort}` : null;
    try {
      const timeout = this.clock.timeout(WAITING_TIMEOUT_MS);
      const until = AbortSignal.any([signal, timeout]);
      const prefill = peer === null ? null : this.peer(peer);
      const ready = prefill?.resolve(until).then(() => this.scheduler.reserve(sequence, until));
      await this.queued("decodePrealloc", timeout, ready ?? this.scheduler.reserve(sequence, until));
      if (prefill && meeting) {
        await this.queued("decodeTransfer", timeout, prefill.receive(meeting.room, this.settings.port, until));
      }
      sequence.onToken();
      if (sequence.produced < sequence.outputTokens) this.scheduler.join(sequence);
      await untilAborted(sequence.done, signal);
      return { finish: request.answer.finish, tokens: sequence.produced, peer };
    } finally {
      this.scheduler.remove(sequence);
    }
  }

  private async finished(sequence: RequestSequence, signal: AbortSignal): Promise<void> {
    try {
      await untilAborted(sequence.done, signal);
    } finally {
      this.scheduler.remove(sequence);
    }
  }

  /** Counts a request in a queue while it is there, and says which one it timed out in. */
  private async queued<Value>(
    queue: keyof Engine["queues"],
    timeout: AbortSignal | null,
    stay: Promise<Value>,
  ): Promise<Value> {
    this.queues[queue] += 1;
    try {
      return await stay;
    } catch (error) {
      if (timeout?.aborted && error === timeout.reason) throw new EngineError(500, `timed out in the ${queue} queue`);
      throw error;
    } finally {
      this.queues[queue] -= 1;
    }
  }

  private peer(address: string): PrefillPeer {
    const known = this.peers.get(address);
    if (known) return known;
    const [oldest] = this.peers.keys();
    if (this.peers.size >= PEERS_MAX && oldest !== undefined) this.peers.delete(oldest);
    const peer = new PrefillPeer(address, this.clock);
    this.peers.set(address, peer);
    return peer;
  }
}

function isFake(meeting: Meeting): boolean {
  return meeting.room === "0" || meeting.host === FAKE_HOST || meeting.host === null;
}

/** A sequence that tells its request of each token. */
class RequestSequence implements Sequence {
  readonly promptTokens: number;
  readonly outputTokens: number;
  produced = 0;
  /** Settles with the last token. */
  readonly done: Promise<void>;
  private readonly finish: () => void;
  private readonly tell: (index: number) => void;

  constructor(promptTokens: number, outputTokens: number, tell: (index: number) => void) {
    this.promptTokens = promptTokens;
    this.outputTokens = outputTokens;
    this.tell = tell;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.finish = resolve;
  }

  onToken(): void {
    this.produced += 1;
    this.tell(this.produced - 1);
    if (this.produced >= this.outputTokens) this.finish();
  }
}
