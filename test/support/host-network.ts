import { execFileSync } from "node:child_process";

/** The control plane's address on the bridge, and the client's. */
export const BRIDGE_ADDRESS = "10.213.77.1";

/**
 * Hosts as network namespaces on one bridge; nothing else leads to them. To be run inside fresh network and mount
 * namespaces, so that all of it is gone when this process ends.
 */
export class HostNetwork {
  readonly #hosts: string[];

  private constructor(hosts: string[]) {
    this.#hosts = hosts;
  }

  /** Makes the bridge and a host for each name, all plugged in. */
  static make(hosts: string[]): HostNetwork {
    const network = new HostNetwork(hosts);
    // `ip netns` keeps its names in /run, agents their state; a private one leaves nothing on the machine.
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/run"]);
    ip("link", "set", "lo", "up");
    ip("link", "add", "br0", "type", "bridge");
    ip("addr", "add", `${BRIDGE_ADDRESS}/24`, "dev", "br0");
    ip("link", "set", "br0", "up");
    for (const [i, host] of hosts.entries()) {
      ip("netns", "add", host);
      ip("link", "add", `v${i}`, "type", "veth", "peer", "name", "eth0", "netns", host);
      ip("link", "set", `v${i}`, "master", "br0", "up");
      ip("-n", host, "addr", "add", `${network.addressOf(host)}/24`, "dev", "eth0");
      ip("-n", host, "link", "set", "eth0", "up");
      ip("-n", host, "link", "set", "lo", "up");
      ip("-n", host, "route", "add", "default", "via", BRIDGE_ADDRESS);
    }
    return network;
  }

  addressOf(host: string): string {
    return `10.213.77.${11 + this.#indexOf(host)}`;
  }

  /** Pulls the host's cable, or puts it back. What runs on the host still reaches itself. */
  plug(host: string, plugged: boolean): void {
    ip("link", "set", `v${this.#indexOf(host)}`, plugged ? "up" : "down");
  }

  /** Every process of a host: its agent, what supervises its jobs, and the jobs. */
  processesOf(host: string): number[] {
    const lines = execFileSync("ip", ["netns", "pids", host], { encoding: "utf8" }).split("\n");
    return lines.filter((line) => line !== "").map(Number);
  }

  #indexOf(host: string): number {
    const index = this.#hosts.indexOf(host);
    if (index < 0) throw new Error(`there is no host ${host}`);
    return index;
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}
