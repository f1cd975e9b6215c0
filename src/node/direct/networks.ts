import { BlockList, isIP } from "node:net";
import { StartError } from "../start-error.ts";

/**
 * Addresses that mean the server's own machine, a neighbour on its wire, or a cloud's metadata service. A network that
 * merely contains them does not open them; one that lies within does.
 */
const SPECIAL: [address: string, prefix: number][] = [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["100.100.100.200", 32],
  ["224.0.0.0", 3],
  ["::", 127],
  ["fe80::", 10],
  ["ff00::", 8],
  ["fd00:ec2::254", 128],
];

const HOW = "write it like main/default=10.0.0.0/8, several networks joined by +, several fleets by commas";

/** In which networks the replicas of a fleet may be connected to directly, as the server's operator has said. */
export class DirectNetworks {
  readonly #fleets = new Map<string, { plain: BlockList; special: BlockList }>();

  /**
   * @param written `project/fleet=network+network,...`; networks as `10.0.0.0/8` or single addresses
   * @param where the setting it comes from, for the error
   * @throws StartError
   */
  static parse(written: string, where: string): DirectNetworks {
    const networks = new DirectNetworks();
    for (const part of written.split(",").map((each) => each.trim())) {
      if (part === "") continue;
      const found = /^([\w.-]+\/[\w.-]+)=(.+)$/.exec(part);
      if (!found) throw new StartError(`${where} has "${part}", which does not name networks of a fleet: ${HOW}.`);
      for (const network of found[2]!.split("+")) networks.#add(found[1]!, network.trim(), where);
    }
    return networks;
  }

  /** `project/fleet` of each. */
  get fleets(): string[] {
    return [...this.#fleets.keys()];
  }

  /** @param address an IP address; nothing else is in any network */
  allows(project: string, fleet: string, address: string): boolean {
    const lists = this.#fleets.get(`${project}/${fleet}`);
    const family = familyOf(address);
    if (!lists || family === null) return false;
    return (SPECIAL_LIST.check(address, family) ? lists.special : lists.plain).check(address, family);
  }

  #add(fleet: string, network: string, where: string): void {
    const [address = "", written] = network.split("/");
    const family = familyOf(address);
    const bits = family === "ipv4" ? 32 : 128;
    const prefix = written === undefined ? bits : /^\d{1,3}$/.test(written) ? Number(written) : Number.NaN;
    if (family === null || !(prefix >= 0 && prefix <= bits)) {
      throw new StartError(`${where} has "${network}", which is not a network: ${HOW}.`);
    }
    const lists = this.#fleets.get(fleet) ?? { plain: new BlockList(), special: new BlockList() };
    this.#fleets.set(fleet, lists);
    lists.plain.addSubnet(address, prefix, family);
    if (isWithinSpecial(address, prefix, family)) lists.special.addSubnet(address, prefix, family);
  }
}

const SPECIAL_LIST = new BlockList();
for (const [address, prefix] of SPECIAL) SPECIAL_LIST.addSubnet(address, prefix, familyOf(address)!);

function isWithinSpecial(address: string, prefix: number, family: "ipv4" | "ipv6"): boolean {
  return SPECIAL.some(([special, specialPrefix]) => {
    if (familyOf(special) !== family || prefix < specialPrefix) return false;
    const list = new BlockList();
    list.addSubnet(special, specialPrefix, family);
    return list.check(address, family);
  });
}

function familyOf(address: string): "ipv4" | "ipv6" | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? "ipv4" : "ipv6";
}
