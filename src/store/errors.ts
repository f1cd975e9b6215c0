/**
 * - `full`: the database has no room left; the same call may be made again once there is some.
 * - `read_only`: the database can only be read; the same call may be made again once it can be written.
 * - `busy`: another process kept the database locked; the same call may be made again.
 * - `unavailable`: a read did not reach the database or its answer was lost; it may be made again.
 * - `refused`: the database, or a check before it, refused; the same call would be refused again.
 * - `unreadable`: what is stored cannot be understood by this version of Headrace.
 */
export type StoreErrorCode = "full" | "read_only" | "busy" | "unavailable" | "refused" | "unreadable";

/** A failure that is known to have changed nothing. A write whose fate is not known fails with UnclearOutcome. */
export class StoreError extends Error {
  override name = "StoreError";
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
