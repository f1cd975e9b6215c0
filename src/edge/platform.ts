/**
 * What is used of the Workers platform, and no more. Its own type package declares other globals than Node's, and one
 * checkout cannot have both.
 */

export interface DurableObjectId {
  readonly name?: string;
}

export interface DurableObjectNamespace<Stub> {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): Stub;
}

/** A stub answers every method of its object, and `fetch`. Errors lose their class on the way. */
export interface FetchStub {
  fetch(request: Request): Promise<Response>;
}

export interface DurableStorage {
  /** Synchronous: written by the time the object's next answer leaves it. */
  readonly kv: {
    get<T>(key: string): T | undefined;
    put(key: string, value: unknown): void;
    delete(key: string): boolean;
    list<T>(options: { prefix: string }): Iterable<[string, T]>;
  };
  /** Replaces the alarm that was set. Milliseconds since 1970. */
  setAlarm(at: number): Promise<void>;
  deleteAlarm(): Promise<void>;
  deleteAll(): Promise<void>;
}

export interface DurableState {
  readonly id: DurableObjectId;
  readonly storage: DurableStorage;
  /** Hands a socket over to the platform, which keeps it while the object is put away. */
  acceptWebSocket(socket: EdgeSocket, tags: string[]): void;
  getWebSockets(tag?: string): EdgeSocket[];
  setWebSocketAutoResponse(pair: object): void;
  getWebSocketAutoResponseTimestamp(socket: EdgeSocket): Date | null;
}

/** The server's end of a WebSocket. */
export interface EdgeSocket {
  send(data: Uint8Array | string): void;
  close(code: number, reason: string): void;
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** Globals that only Workers have. */
export interface EdgeGlobals {
  WebSocketPair: new () => { 0: unknown; 1: EdgeSocket };
  /** What is written comes out as it is, and none of it is looked at by a program. */
  IdentityTransformStream: new () => { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> };
  WebSocketRequestResponsePair: new (request: string, response: string) => object;
}

export function edgeGlobals(): EdgeGlobals {
  return globalThis as unknown as EdgeGlobals;
}

/** Of the language, and not of Node's before version 25. */
interface Base64Bytes {
  toBase64(): string;
}

export function inBase64(bytes: Uint8Array): string {
  return (bytes as unknown as Base64Bytes).toBase64();
}

export function fromBase64(text: string): Uint8Array {
  return (Uint8Array as unknown as { fromBase64(text: string): Uint8Array }).fromBase64(text);
}
