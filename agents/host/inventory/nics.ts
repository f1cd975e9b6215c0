import { NICS_MAX, type Nic } from "../../../src/wire/index.ts";
import { addressOf, linkName, type PciPlace, readPlace } from "./pci.ts";
import { type Tree, type Trees, wholeNumber } from "./tree.ts";

/** A port of an RDMA device, as a report carries it, with its place on the machine. */
export interface FoundNic extends Nic, PciPlace {}

/** What can change from one moment to the next. */
export type NicReading = Pick<Nic, "state" | "rateGbps">;

const NAME = /^[\w.-]{1,64}$/;
const NODE = /^uverbs\d{1,5}$/;

/** A port of a NIC has 16 to 256 addresses. */
const GIDS_MAX = 256;

const STATES: Record<string, Nic["state"]> = { "1": "down", "2": "init", "3": "armed", "4": "active" };

const LINK_LAYERS: Record<string, Nic["linkLayer"]> = { InfiniBand: "infiniband", Ethernet: "ethernet" };

const EMPTY_GID = /^[0:]*$/;
/** An IPv4 address as IPv6 writes it: `::ffff:a.b.c.d`. */
const IPV4_GID = /^0000:0000:0000:0000:0000:ffff:/i;

const portFolder = ({ name, port }: Pick<Nic, "name" | "port">) => `class/infiniband/${name}/ports/${port}`;

/** The ports of the host's RDMA devices, by name. A host without any has no such class, which is no fault. */
export async function findNics(trees: Trees): Promise<FoundNic[]> {
  const { sys } = trees;
  const found: FoundNic[] = [];
  for (const name of await sys.list("class/infiniband")) {
    const folder = `class/infiniband/${name}`;
    // A virtual function shares its port with the device that it is a part of, and is for a virtual machine.
    if (!NAME.test(name) || (await sys.real(`${folder}/device/physfn`)) !== null) continue;
    const place = await readPlace(sys, `${folder}/device`);
    const driver = await linkName(sys, `${folder}/device/driver`);
    const nodes = await findNodes(trees, name);
    for (const text of await sys.list(`${folder}/ports`)) {
      const port = wholeNumber(text);
      if (port === null || port < 1 || port > 255 || found.length >= NICS_MAX) continue;
      const gids = await readGids(sys, portFolder({ name, port }));
      const linkLayer = LINK_LAYERS[(await sys.read(`${portFolder({ name, port })}/link_layer`)) ?? ""];
      found.push({
        name,
        port,
        bus: addressOf(place),
        numa: place.numa,
        driver: driver?.slice(0, 100) ?? null,
        interface: await findInterface(sys, folder, gids),
        ...(await readNic(sys, { name, port })),
        linkLayer: linkLayer ?? "unspecified",
        gidIndex: linkLayer === "ethernet" ? chooseGid(gids) : null,
        nodes,
        chain: place.chain,
      });
    }
  }
  return found;
}

/** The state of a port's link now. */
export async function readNic(sys: Tree, nic: Pick<Nic, "name" | "port">): Promise<NicReading> {
  const state = /^(\d)/.exec((await sys.read(`${portFolder(nic)}/state`)) ?? "")?.[1] ?? "";
  const rate = /^(\d{1,6}(?:\.\d{1,3})?) Gb\/sec/.exec((await sys.read(`${portFolder(nic)}/rate`)) ?? "")?.[1];
  return { state: STATES[state] ?? "unknown", rateGbps: Number(rate ?? 0) };
}

interface Gid {
  index: number;
  gid: string;
  type: string | null;
  /** The network interface that has it. */
  interface: string | null;
}

/** The addresses of a port that are set. Those that are not have no attributes: reading these is refused (EINVAL). */
async function readGids(sys: Tree, folder: string): Promise<Gid[]> {
  const names = (await sys.list(`${folder}/gids`)).slice(0, GIDS_MAX);
  const indices = names.flatMap((name) => wholeNumber(name) ?? []).sort((a, b) => a - b);
  const gids: Gid[] = [];
  for (const index of indices) {
    const gid = await sys.read(`${folder}/gids/${index}`);
    if (gid === null || EMPTY_GID.test(gid) || index > 65_535) continue;
    const type = await sys.read(`${folder}/gid_attrs/types/${index}`);
    gids.push({ index, gid, type, interface: await sys.read(`${folder}/gid_attrs/ndevs/${index}`) });
  }
  return gids;
}

/** The index of the first RoCE v2 address that is an IPv4 one: 3 is common, and does not exist on every device. */
function chooseGid(gids: Gid[]): number | null {
  return gids.find(({ gid, type }) => type === "RoCE v2" && IPV4_GID.test(gid))?.index ?? null;
}

/** That of its addresses, which for a bond is the bond; else the one beside it on the same device. */
async function findInterface(sys: Tree, folder: string, gids: Gid[]): Promise<string | null> {
  const named = gids.find((gid) => gid.interface !== null)?.interface ?? (await sys.list(`${folder}/device/net`))[0];
  return named !== undefined && named !== null && NAME.test(named) ? named : null;
}

/** Its nodes below `/dev`. Their numbers do not follow the devices'. */
async function findNodes({ sys, dev }: Trees, name: string): Promise<string[]> {
  const folder = `class/infiniband/${name}/device/infiniband_verbs`;
  const there = await dev.list("infiniband");
  const nodes: string[] = [];
  for (const node of await sys.list(folder)) {
    if (!NODE.test(node) || !there.includes(node)) continue;
    if ((await sys.read(`${folder}/${node}/ibdev`)) === name) nodes.push(`infiniband/${node}`);
  }
  return nodes.slice(0, 8);
}
