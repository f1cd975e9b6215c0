/** As many hosts as a server holds links of, and those that were replaced meanwhile. The longest known go first. */
const PEERS_MAX = 16_384;

/** From which address the link of each host came last. Kept when the link ends: the host is still there. */
export class Peers {
  readonly #addresses = new Map<string, string>();

  /** @param address as the socket has it; null: it was closed already */
  opened(host: string, address: string | null): void {
    this.#addresses.delete(host);
    if (address === null) return;
    // What a socket that listens for both families says of an IPv4 caller.
    this.#addresses.set(host, address.replace(/^::ffff:(?=\d+\.)/, ""));
    if (this.#addresses.size > PEERS_MAX) this.#addresses.delete(this.#addresses.keys().next().value!);
  }

  of(host: string): string | null {
    return this.#addresses.get(host) ?? null;
  }
}
