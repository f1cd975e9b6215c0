import type { Answer, Input } from "../core/input.ts";
import type { Store } from "../store/types.ts";
import type { Clock } from "./clock.ts";
import type { Controller, Request } from "./controller.ts";
import { keyedRequest } from "./keyed.ts";
import type { Sealer } from "./seal.ts";
import type { Caller } from "./types.ts";

/** What a request to change something comes to. */
export interface Change<A> {
  input: Input;
  /** Sealed values that are written with it. */
  secrets: NonNullable<Request["secrets"]>;
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
    const asked = await keyedRequest(seal, caller.project, cause, request);
    const before = await store.idempotency(caller.project, key);
    if (before) return asked.repeated(before);
    const { input, secrets, toAnswer } = (await prepare()) as Change<A>;
    const { answer, version, repeatedAs } = await controllerOf(caller.project).submit({
      input,
      id: `request/${key}`,
      cause,
      actor: caller.name,
      secrets,
      idempotency: {
        key,
        record: (answer, version) => ({
          key,
          requestHash: asked.hash,
          answer: JSON.stringify(toAnswer(answer, version)),
          at: clock.now(),
        }),
      },
    });
    return repeatedAs ? asked.repeated(repeatedAs) : toAnswer(answer, version);
  };
}
