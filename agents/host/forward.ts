import type { LinkAnswer } from "../../src/link/types.ts";
import { ReplicaClient, type ReplicaRequest } from "../../src/replica/client.ts";
import { ReplicaSilent } from "../../src/replica/connection.ts";
import { Unreached } from "../../src/replica/exchange.ts";
import type { JobAddresses } from "./job-address.ts";
import { refusal, refused } from "./refusal.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** Connections to one job; the link lets no more streams through than this. */
const CONNECTIONS_MAX = 1024;

export interface ForwardedRequest extends ReplicaRequest {
  port: number;
}

/** Sends requests on to jobs of this host and streams both ways. */
export class Forwarder {
  readonly #addresses: JobAddresses;
  readonly #open = new Map<number, number>();
  readonly #client = new ReplicaClient({ connectMs: CONNECT_TIMEOUT_MS, connectionsMax: CONNECTIONS_MAX });

  constructor(addresses: JobAddresses) {
    this.#addresses = addresses;
  }

  /**
   * A job to which no connection comes about is answered for with a refusal, one that is silent for too long with 504.
   * @throws what `signal` was aborted with; what broke the exchange off once the job may have seen something of it
   */
  async forward(forwarded: ForwardedRequest, signal: AbortSignal): Promise<LinkAnswer> {
    const { port } = forwarded;
    const over = this.#begin(port);
    try {
      const origin = await this.#addresses.origin(port);
      return await this.#client.request(origin, forwarded, signal, over);
    } catch (error) {
      over();
      if (signal.aborted) throw signal.reason;
      this.#addresses.forget(port);
      if (error instanceof Unreached) return refused("unreachable", `the replica cannot be reached: ${error.message}`);
      if (error instanceof ReplicaSilent) return refusal(504, "upstream_timeout", "the replica did not answer in time");
      throw error;
    }
  }

  /** Requests to this port that are not over yet, streamed answers included. */
  openOn(port: number): number {
    return this.#open.get(port) ?? 0;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** Counts a request until the returned function is called for the first time. */
  #begin(port: number): () => void {
    this.#open.set(port, this.openOn(port) + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const left = this.openOn(port) - 1;
      if (left === 0) this.#open.delete(port);
      else this.#open.set(port, left);
    };
  }
}
