import type { LinkAnswerHead, ReceivedAnswer } from "../link/types.ts";
import { clientGone } from "../proxy/errors.ts";
import { IDLE_MS_MAX } from "../proxy/limits.ts";
import { PassedOn, type Promised, promisedBy } from "../proxy/passed-on.ts";
import { Watch } from "../proxy/watch.ts";

/**
 * A replica's answer whose body is watched here, where it comes from. On its way to the client it can then be passed on
 * by the platform alone: to have each token enter the Worker once more costs as much as all the rest.
 * @param ask sends the request
 * @param left aborts when the client is gone
 * @throws LinkError
 */
export async function watched(
  ask: (signal: AbortSignal) => Promise<ReceivedAnswer>,
  left: AbortSignal,
): Promise<ReceivedAnswer> {
  const cancel = new AbortController();
  const leave = () => cancel.abort(clientGone());
  if (left.aborted) leave();
  else left.addEventListener("abort", leave, { once: true });
  const { head, body } = await ask(cancel.signal);
  if (body === null || body instanceof Uint8Array) return { head, body };
  const promised = promisedIn(head);
  if (promised === null) return { head, body };
  const watch = new Watch(cancel, IDLE_MS_MAX, () => performance.now());
  return { head, body: new PassedOn(body, promised, watch, watch.stop) };
}

/** Null of a head that the request path refuses. */
function promisedIn({ headers }: LinkAnswerHead): Promised | null {
  try {
    return promisedBy(headers.map(([name, value]) => [name.toLowerCase(), value]));
  } catch {
    return null;
  }
}
