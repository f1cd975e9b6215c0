import { serialize } from "node:v8";
import type { DurableState, DurableStorage, EdgeSocket } from "../../../src/edge/platform.ts";

/** What the platform takes at most: of a key, of a value (in the smaller of its two kinds of storage), with a socket. */
const KEY_BYTES_MAX = 2_048;
const VALUE_BYTES_MAX = 128 * 1_024;
const ATTACHMENT_BYTES_MAX = 2_048;
/** The protocol's own bound on why a socket is closed. */
const REASON_BYTES_MAX = 123;

/** What of an object outlives its lives: storage, alarm and sockets, within the platform's limits. */
export class Durable implements DurableState {
  readonly id = {};
  readonly values = new Map<string, unknown>();
  readonly sockets: PlayedSocket[] = [];
  /** When its alarm rings; null: never. */
  alarm: number | null = null;
  /** What was done to it and to others, in order. */
  readonly done: string[] = [];
  readonly storage: DurableStorage = {
    kv: {
      get: <T>(key: string) => structuredClone(this.values.get(key)) as T | undefined,
      put: (key, value) => {
        within(KEY_BYTES_MAX, Buffer.byteLength(key), "a key");
        within(VALUE_BYTES_MAX, serialize(value).byteLength, `the value of ${key}`);
        this.values.set(key, structuredClone(value));
      },
      delete: (key) => this.values.delete(key),
      list: <T>({ prefix }: { prefix: string }) =>
        [...this.values].filter(([key]) => key.startsWith(prefix)).sort() as [string, T][],
    },
    setAlarm: async (at) => {
      this.done.push("alarm");
      this.alarm = at;
    },
    deleteAlarm: async () => {
      this.alarm = null;
    },
    deleteAll: async () => this.values.clear(),
  };

  acceptWebSocket(socket: EdgeSocket): void {
    this.sockets.push(socket as PlayedSocket);
  }

  /** Those that were closed too, as the platform lists them for a while. */
  getWebSockets(): EdgeSocket[] {
    return this.sockets;
  }

  setWebSocketAutoResponse(): void {}

  getWebSocketAutoResponseTimestamp(socket: EdgeSocket): Date | null {
    const { pingedAt } = socket as PlayedSocket;
    return pingedAt === null ? null : new Date(pingedAt);
  }
}

/** The platform's end of a socket. */
export class PlayedSocket implements EdgeSocket {
  /** Where what is sent arrives. */
  receive: (message: Uint8Array) => void = () => {};
  closedBecause: string | null = null;
  /** When the platform answered a ping. */
  pingedAt: number | null = null;
  #attachment: unknown = null;

  send(data: Uint8Array | string): void {
    if (this.closedBecause !== null) throw new Error("the socket is closed");
    const message = data as Uint8Array;
    queueMicrotask(() => this.receive(message));
  }

  close(_code: number, reason: string): void {
    within(REASON_BYTES_MAX, Buffer.byteLength(reason), "the reason of a close");
    this.closedBecause ??= reason;
  }

  serializeAttachment(value: unknown): void {
    within(ATTACHMENT_BYTES_MAX, serialize(value).byteLength, "an attachment");
    this.#attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }
}

function within(max: number, bytes: number, what: string): void {
  if (bytes > max) throw new RangeError(`${what} has ${bytes} bytes, and the platform takes ${max}`);
}
