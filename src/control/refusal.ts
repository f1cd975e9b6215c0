import { StoreError, type StoreErrorCode } from "../store/errors.ts";
import { UnclearOutcome } from "../store/types.ts";
import { ControlError } from "./types.ts";

const UNCLEAR = "the database's answer was lost, so this may have been done; repeat it under the same idempotency key";

/** What is said of a database that could not be used; null = a bug, and nobody's to know. */
const OF_THE_DATABASE: Record<StoreErrorCode, string | null> = {
  full: "the database is full, so nothing was changed; make room on the control plane's disk and try again",
  read_only: "the database can only be read, so nothing was changed; make its folder writable and try again",
  busy: "another process keeps the database locked, so nothing was changed; try again",
  unavailable: "the database cannot be reached; try again",
  refused: null,
  unreadable: null,
};

/** What to tell whoever asked: a refusal as it is, and a database that cannot be used now as one too. */
export function refusalOf(error: unknown): ControlError | null {
  if (error instanceof ControlError) return error;
  if (error instanceof UnclearOutcome) return new ControlError("unavailable", UNCLEAR);
  const message = error instanceof StoreError ? OF_THE_DATABASE[error.code] : null;
  return message === null ? null : new ControlError("unavailable", message);
}
