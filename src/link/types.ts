/** A body: absent, whole, or a stream that is pulled (back-pressure reaches the sender). */
export type LinkBody = Uint8Array | ReadableStream<Uint8Array> | null;

/** The head of an answer. */
export interface LinkAnswerHead {
  status: number;
  headers: [string, string][];
}

export interface LinkAnswer {
  head: LinkAnswerHead;
  body: LinkBody;
}

/**
 * Serves a stream that the other end opened. `signal` aborts when the other end cancelled or the link is gone. An
 * error that it throws resets the stream and reaches the other end as a message.
 */
export type LinkHandler = (open: unknown, body: LinkBody, signal: AbortSignal) => Promise<LinkAnswer>;

/** One end of a link: many concurrent requests, both ways, over one WebSocket. */
export interface LinkEnd {
  /**
   * Opens a stream. `open` is any JSON value (see `wire/link-heads.ts`).
   * @throws LinkError when the link is or gets closed, when the other end resets the stream before it answers, when
   *   too many streams are open, or when `signal` aborts.
   */
  request(open: unknown, body?: LinkBody, signal?: AbortSignal): Promise<LinkAnswer>;
  /** A whole WebSocket message from the other end. Closes the link when it breaks the rules of framing. */
  receive(message: Uint8Array): void;
  /** Ends every stream; nothing is sent afterwards. */
  close(reason: string): void;
  readonly openStreams: number;
}
