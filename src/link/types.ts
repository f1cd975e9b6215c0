/** Takes a body piece by piece. None of these is called by a `BodyFlow` that has been cancelled. */
export interface BodySink {
  /** @returns whether more may come; after false nothing comes before the flow is told to `resume`. */
  write(bytes: Uint8Array): boolean;
  /** The body is complete. May come while more data would have to wait. */
  end(): void;
  /** The body breaks off. */
  fail(error: unknown): void;
}

/**
 * A body that comes in pieces. It pushes them into one sink and stops when the sink says so: back-pressure reaches the
 * sender. Web streams do the same at several microseconds a piece; `streamOf` and `flowOf` translate.
 */
export interface BodyFlow {
  /** Begins; called at most once. Pieces may come before it returns. */
  start(sink: BodySink): void;
  /** The sink takes more. May be called from within its `write`. */
  resume(): void;
  /** The body is not wanted, or no longer: nothing comes any more. Harmless after its end. */
  cancel(reason: unknown): void;
  /**
   * Where the platform can pass the body on by itself, which is faster than piece by piece: all of it, instead of
   * `start`. Such a body is watched where it comes from.
   * @param over told when it has ended, however
   */
  passOn?(over: () => void): ReadableStream<Uint8Array>;
}

/** A body as it is received: absent, whole, or in pieces. */
export type ReceivedBody = Uint8Array | BodyFlow | null;

/** A body as it can be sent. */
export type LinkBody = ReceivedBody | ReadableStream<Uint8Array>;

/** The head of an answer. */
export interface LinkAnswerHead {
  status: number;
  headers: [string, string][];
}

export interface LinkAnswer {
  head: LinkAnswerHead;
  body: LinkBody;
}

export interface ReceivedAnswer {
  head: LinkAnswerHead;
  body: ReceivedBody;
}

/**
 * Serves a stream that the other end opened. `signal` aborts when the other end cancelled or the link is gone. An
 * error that it throws resets the stream and reaches the other end as a message.
 */
export type LinkHandler = (open: unknown, body: ReceivedBody, signal: AbortSignal) => Promise<LinkAnswer>;

/** One end of a link: many concurrent requests, both ways, over one WebSocket. */
export interface LinkEnd {
  /**
   * Opens a stream. `open` is any JSON value (see `wire/link-heads.ts`).
   * @throws LinkError when the link is or gets closed, when the other end resets the stream before it answers, when
   *   too many streams are open, or when `signal` aborts.
   */
  request(open: unknown, body?: LinkBody, signal?: AbortSignal): Promise<ReceivedAnswer>;
  /** A whole WebSocket message from the other end. Closes the link when it breaks the rules of framing. */
  receive(message: Uint8Array): void;
  /** Ends every stream; nothing is sent afterwards. */
  close(reason: string): void;
  readonly openStreams: number;
}
