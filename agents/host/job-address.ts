import { isIPv6 } from "node:net";
import { reachPort } from "./reach-port.ts";

const LOOPBACK = "127.0.0.1";

/**
 * At which address of the host a job listens: everywhere, on the loopback or on the host's address alone. Found by
 * connecting, and remembered for a port until it is told to look again.
 */
export class JobAddresses {
  readonly #hostAddress: string;
  readonly #known = new Map<number, string>();

  constructor(hostAddress: string) {
    this.#hostAddress = hostAddress;
  }

  /** @returns `http://address:port` of the job that has this port; the loopback when nothing listens */
  async origin(port: number): Promise<string> {
    const known = this.#known.get(port);
    if (known !== undefined) return known;
    for (const address of [LOOPBACK, this.#hostAddress]) {
      if ((await reachPort(address, port)) !== null) continue;
      const origin = originOf(address, port);
      this.#known.set(port, origin);
      return origin;
    }
    return originOf(LOOPBACK, port);
  }

  /** Another process may have the port now, or the same one may listen elsewhere. */
  forget(port: number): void {
    this.#known.delete(port);
  }
}

function originOf(address: string, port: number): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
