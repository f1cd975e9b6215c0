/**
 * - `busy`: another process kept the database locked; nothing was done, the same call may be made again.
 * - `refused`: the database refused the statement; nothing was done and the same call would be refused again.
 * - `unreadable`: what is stored cannot be understood by this version of Headrace.
 */
export type StoreErrorCode = "busy" | "refused" | "unreadable";

/** A failure that is known to have changed nothing. The opposite is UnclearOutcome. */
export class StoreError extends Error {
  override name = "StoreError";
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
