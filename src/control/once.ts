import type { Answer } from "../core/input.ts";
import type { IdempotencyRecord, Store } from "../store/types.ts";
import { canonicalJson } from "../wire/index.ts";
import { anotherRequest } from "./answers.ts";
import type { Clock } from "./clock.ts";
import type { Controller, Request } from "./controller.ts";
import type { Sealer } from "./seal.ts";
import type { Caller } from "./types.ts";

/** What a request to change something comes to, with what is written beside it. */
export interface Change<A> extends Pick<Request, "input" | "secrets" | "credential" | "revokedToken"> {
  toAnswer(answer: Answer, version: number): A;
}

/**
 * Carries out a change once for each idempotency key; a repeated request gets the first one's answer.
 * @param request what was asked for: the same key with another one is refused
 * @param prepare called unless the request was answered before
 */
export type Once = <A>(
  caller: Caller,
  cause: string,
  key: string,
  request: unknown,
  prepare: () => Promise<Change<A>>,
) => Promise<A>;

export function onceFor(
  { store, seal, clock }: { store: Store; seal: Sealer; clock: Clock },
  controllerOf: (project: string) => Controller,
): Once {
  return async <A>(...[caller, cause, key, request, prepare]: Parameters<Once>): Promise<A> => {
    const { project, name: actor } = caller;
    const content = canonicalJson({ cause, request });
    const repeated = async ({ requestHash, answer }: IdempotencyRecord): Promise<A> => {
      if (!(await seal.matches(project, requestHash, content))) throw anotherRequest();
      return JSON.parse(answer) as A;
    };
    const before = await store.idempotency(project, key);
    if (before) return repeated(before);
    // Keyed, since the request may hold values that a guess could be tested against.
    const requestHash = await seal.version(project, content);
    const { toAnswer, ...change } = (await prepare()) as Change<A>;
    const { answer, version, repeatedAs } = await controllerOf(project).submit({
      ...change,
      id: `request/${key}`,
      cause,
      actor,
      idempotency: {
        key,
        record: (answer, version) => ({
          key,
          requestHash,
          answer: JSON.stringify(toAnswer(answer, version)),
          at: clock.now(),
        }),
      },
    });
    return repeatedAs ? repeated(repeatedAs) : toAnswer(answer, version);
  };
}
