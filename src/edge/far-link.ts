import type { LinkBody, LinkEnd, ReceivedAnswer } from "../link/types.ts";
import { type Env, type HostName, linkStub } from "./env.ts";
import { requestOverLink } from "./link-requests.ts";

/** A host's link as the other objects see it: every request goes to where it ends. */
export class FarLink implements LinkEnd {
  readonly openStreams = 0;
  readonly #env: Env;
  readonly #host: HostName;

  constructor(env: Env, host: HostName) {
    this.#env = env;
    this.#host = host;
  }

  request(open: unknown, body: LinkBody = null, signal?: AbortSignal): Promise<ReceivedAnswer> {
    return requestOverLink(linkStub(this.#env, this.#host), open, body, signal);
  }

  /** Messages arrive where the link ends. */
  receive(): void {}

  /** Only its own end closes it: where a newer link takes its place, or the host was removed. */
  close(): void {}
}
