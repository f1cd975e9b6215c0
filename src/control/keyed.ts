import type { IdempotencyRecord } from "../store/types.ts";
import { canonicalJson } from "../wire/index.ts";
import { anotherRequest } from "./answers.ts";
import type { Sealer } from "./seal.ts";

/** What was asked for under an idempotency key, to be kept beside its answer and compared with what comes later. */
export interface KeyedRequest {
  hash: string;
  /** The answer that was kept. @throws ControlError `idempotency_mismatch` when it was another request's */
  repeated<A>(record: IdempotencyRecord): Promise<A>;
}

export async function keyedRequest(
  seal: Sealer,
  project: string,
  cause: string,
  request: unknown,
): Promise<KeyedRequest> {
  const content = canonicalJson({ cause, request });
  return {
    // Keyed, since the request may hold values that a guess could be tested against.
    hash: await seal.version(project, content),
    async repeated<A>({ requestHash, answer }: IdempotencyRecord): Promise<A> {
      if (!(await seal.matches(project, requestHash, content))) throw anotherRequest();
      return JSON.parse(answer) as A;
    },
  };
}
