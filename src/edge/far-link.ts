import { LinkError } from "../link/errors.ts";
import type { LinkBody, LinkEnd, ReceivedAnswer } from "../link/types.ts";
import { type Env, type HostName, linkStub } from "./env.ts";
import { isLinked, isSpent, LINKED_PATH, requestOverLink } from "./link-requests.ts";

/** A host's link as the other objects see it: every request goes to where it ends. */
export class FarLink implements LinkEnd {
  readonly openStreams = 0;
  readonly #env: Env;
  readonly #host: HostName;

  constructor(env: Env, host: HostName) {
    this.#env = env;
    this.#host = host;
  }

  async request(open: unknown, body: LinkBody = null, signal?: AbortSignal): Promise<ReceivedAnswer> {
    const stub = linkStub(this.#env, this.#host);
    // What can be sent once is kept for a host that is there.
    if (isSpent(body) && !(await isLinked(stub, LINKED_PATH, signal))) {
      throw new LinkError("closed", "the host is not connected", false);
    }
    return requestOverLink(stub, open, body, signal);
  }

  /** Messages arrive where the link ends. */
  receive(): void {}

  /** Only its own end closes it: where a newer link takes its place, or the host was removed. */
  close(): void {}
}
