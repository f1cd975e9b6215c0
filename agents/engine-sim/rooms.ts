import type { Clock } from "./clock.ts";
import { EngineError } from "./errors.ts";
import { untilAborted } from "./until-aborted.ts";

/** What a decode learns when the cache of a prompt has arrived, or why it never will. */
export type KvResult = { state: "success"; promptTokens: number } | { state: "failed"; message: string };

interface Room {
  openedAt: number;
  /** Settled with the decode's address once it has reserved cache. */
  decode: PromiseWithResolvers<string>;
  kv: PromiseWithResolvers<KvResult>;
  /** Whether the prefill's part is over. */
  settled: boolean;
  /** Aborts when the decode gives the room up. */
  abandoned: AbortController;
}

/** More than any router has in flight at one prefill. */
const ROOMS_MAX = 10_000;

/** A room nobody came back for is forgotten this long after its first mention; a request is given up by then. */
const ROOM_LIFE_MS = 600_000;

/**
 * A prefill's rooms. Its request and the decode's reservation arrive in either order, over different servers; whoever
 * comes first opens the room.
 */
export class Rooms {
  private readonly rooms = new Map<string, Room>();
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get count(): number {
    return this.rooms.size;
  }

  /** A decode has reserved cache for this room. */
  allocate(id: string, decode: string): void {
    this.open(id).decode.resolve(decode);
  }

  /**
   * Waits until a decode has reserved cache.
   * @returns its address, and a signal that aborts when the decode gives up
   */
  async decodeFor(id: string, signal: AbortSignal): Promise<{ decode: string; abandoned: AbortSignal }> {
    const room = this.open(id);
    const decode = await untilAborted(room.decode.promise, AbortSignal.any([signal, room.abandoned.signal]));
    return { decode, abandoned: room.abandoned.signal };
  }

  /** The prefill's part is over. The room stays until the decode has read the result, unless it has left. */
  settle(id: string, result: KvResult): void {
    const room = this.rooms.get(id);
    if (!room) return;
    room.settled = true;
    room.kv.resolve(result);
    if (room.abandoned.signal.aborted) this.rooms.delete(id);
  }

  /** @returns null for a room never heard of; "waiting" when nothing came within `waitMs` */
  async result(id: string, waitMs: number): Promise<KvResult | "waiting" | null> {
    const room = this.rooms.get(id);
    if (!room) return null;
    const over = new AbortController();
    const waited = this.clock.sleep(waitMs, over.signal).then(
      () => "waiting" as const,
      () => "waiting" as const,
    );
    const result = await Promise.race([room.kv.promise, waited]);
    over.abort();
    return result;
  }

  /** The decode is done with the room, or gives it up: a prefill still to come must then hear of it. */
  close(id: string): void {
    const room = this.rooms.get(id);
    if (!room) return;
    room.abandoned.abort(new EngineError(500, `the decode gave up room ${id}`));
    if (room.settled) this.rooms.delete(id);
  }

  private open(id: string): Room {
    const known = this.rooms.get(id);
    if (known) return known;
    this.forgetOld();
    if (this.rooms.size >= ROOMS_MAX) throw new EngineError(503, `more than ${ROOMS_MAX} rooms are open`);
    const room: Room = {
      openedAt: this.clock.now(),
      decode: Promise.withResolvers(),
      kv: Promise.withResolvers(),
      settled: false,
      abandoned: new AbortController(),
    };
    this.rooms.set(id, room);
    return room;
  }

  /** A map keeps the order in which rooms were opened, so the old ones come first. */
  private forgetOld(): void {
    for (const [id, { openedAt }] of this.rooms) {
      if (this.clock.now() - openedAt < ROOM_LIFE_MS) break;
      this.rooms.delete(id);
    }
  }
}
