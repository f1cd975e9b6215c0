import type { Clock } from "./clock.ts";
import type { Environment } from "./environment.ts";
import { EngineError } from "./errors.ts";
import { ask } from "./http.ts";
import { parseObject } from "./json.ts";

/** A prefill that hangs takes this long to miss a heartbeat. */
const HEARTBEAT_TIMEOUT_MS = 5_000;

/** Between two tries to reach a prefill that is not up. */
const RETRY_MS = 200;

const KV_WAIT_S = 30;

/**
 * A prefill worker as a decode sees it. While a room is open it is asked every 5 s whether it lives; after two misses
 * all its rooms fail: 5 to 10 s after it was killed, up to 20 s after it froze. Every call ends by its signal at the latest.
 */
export class PrefillPeer {
  private readonly url: string;
  private readonly clock: Clock;
  private readonly environment: Environment;
  private rooms = 0;
  private beating = false;
  private lost = new AbortController();

  constructor(address: string, clock: Clock, environment: Environment) {
    this.url = `http://${address}`;
    this.clock = clock;
    this.environment = environment;
  }

  /** Waits until the prefill's ranks have registered. */
  async resolve(signal: AbortSignal): Promise<void> {
    const layout = "prefill_dp_rank=-1&prefill_cp_rank=-1&target_tp_rank=-1&target_pp_rank=-1";
    for (;;) {
      const answer = await this.tryAsk("GET", `/route?${layout}`, signal);
      if (answer?.status === 200) return;
      await this.clock.sleep(RETRY_MS, signal);
    }
  }

  /**
   * Takes part in a room: says that cache is reserved for it, and waits until the cache has come.
   * @param port where this decode serves, to be known by in the prefill's records
   * @throws EngineError when the prefill says it failed, or is gone
   */
  async receive(room: string, port: number, signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.enter()]);
    try {
      await this.allocate(room, port, until);
      await this.arrival(room, until);
    } finally {
      this.rooms -= 1;
      this.leave(room);
    }
  }

  private async allocate(room: string, port: number, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ port });
    while ((await this.tryAsk("POST", `/sim/rooms/${room}/alloc`, signal, body))?.status !== 200) {
      await this.clock.sleep(RETRY_MS, signal);
    }
  }

  private async arrival(room: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const answer = await this.tryAsk("GET", `/sim/rooms/${room}/kv?wait=${KV_WAIT_S}`, signal);
      // No answer is no verdict: the heartbeat decides whether the prefill is gone.
      if (!answer) await this.clock.sleep(RETRY_MS, signal);
      else if (answer.status === 404) throw new EngineError(500, `prefill ${this.url} does not know room ${room}`);
      else if (answer.status === 200) {
        const { state, message } = parseObject(answer.body);
        if (state === "success") return;
        if (state === "failed") throw new EngineError(500, `KV transfer of room ${room} failed: ${message}`);
      }
    }
  }

  /** Tells the prefill that the room is over, for whatever reason. It forgets the room by itself if this is lost. */
  private leave(room: string): void {
    this.tryAsk("DELETE", `/sim/rooms/${room}`, this.clock.timeout(HEARTBEAT_TIMEOUT_MS)).catch(() => {});
  }

  private enter(): AbortSignal {
    this.rooms += 1;
    if (!this.beating) void this.beat();
    return this.lost.signal;
  }

  private async beat(): Promise<void> {
    this.beating = true;
    for (let misses = 0; this.rooms > 0; ) {
      await this.clock.sleep(this.environment.heartbeatMs);
      const answer = await this.tryAsk("GET", "/health", this.clock.timeout(HEARTBEAT_TIMEOUT_MS)).catch(() => null);
      misses = answer?.status === 200 ? 0 : misses + 1;
      if (misses < this.environment.heartbeatMissesMax) continue;
      this.lost.abort(new EngineError(500, `prefill ${this.url} is gone: ${misses} heartbeats were missed`));
      this.lost = new AbortController();
      misses = 0;
    }
    this.beating = false;
  }

  /** @returns null when the prefill cannot be reached. @throws the signal's reason */
  private async tryAsk(method: "GET" | "POST" | "DELETE", path: string, signal: AbortSignal, body?: string) {
    try {
      return await ask(method, this.url + path, signal, body);
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  }
}
