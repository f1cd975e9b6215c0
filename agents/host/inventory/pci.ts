import { type Tree, wholeNumber } from "./tree.ts";

/** Where a device is on the machine. */
export interface PciPlace {
  /** The bridges from the root complex down to the device itself, e.g. `pci0000:15`, `0000:15:01.1`, `0000:1f:00.0`. */
  chain: readonly string[];
  /** null: the machine has one node, or does not say. */
  numa: number | null;
}

export interface PciFunction extends PciPlace {
  /** `0000:0c:00.0`. */
  address: string;
  vendor: string;
  device: string;
  driver: string | null;
}

const ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;
const ROOT_COMPLEX = /^pci[0-9a-f]{4,8}:[0-9a-f]{2}$/;

/** PCI classes of accelerators: processing accelerator, 3D controller, and the display classes of compute cards. */
const ACCELERATOR_CLASSES = ["0x1200", "0x0302", "0x0300", "0x0380"];

export const pciFolder = (address: string) => `bus/pci/devices/${address}`;

/** The functions of accelerators and displays, by address; which of them can compute is for their vendor's reader. */
export async function listAccelerators(sys: Tree): Promise<PciFunction[]> {
  const found: PciFunction[] = [];
  for (const address of await sys.list("bus/pci/devices")) {
    if (!ADDRESS.test(address)) continue;
    const pciClass = await sys.read(`${pciFolder(address)}/class`);
    if (!ACCELERATOR_CLASSES.includes(pciClass?.slice(0, 6) ?? "")) continue;
    const vendor = await sys.read(`${pciFolder(address)}/vendor`);
    const device = await sys.read(`${pciFolder(address)}/device`);
    if (vendor === null || device === null) continue;
    const driver = await linkName(sys, `${pciFolder(address)}/driver`);
    found.push({ address, vendor, device, driver, ...(await readPlace(sys, pciFolder(address))) });
  }
  return found;
}

/** Where the device of a folder of sysfs (or of a link to it) is. */
export async function readPlace(sys: Tree, folder: string): Promise<PciPlace> {
  return { chain: chainOf((await sys.real(folder)) ?? ""), numa: wholeNumber(await sys.read(`${folder}/numa_node`)) };
}

/** The root complex, bridges and device in a path of sysfs. */
export function chainOf(path: string): string[] {
  return path.split("/").filter((part) => ADDRESS.test(part) || ROOT_COMPLEX.test(part));
}

/** The PCI address at the end of a chain; null for what is not on a PCI bus. */
export function addressOf({ chain }: PciPlace): string | null {
  const last = chain.at(-1);
  return last !== undefined && ADDRESS.test(last) ? last : null;
}

/** The last part of where a link leads, such as a driver's name. */
export async function linkName(sys: Tree, path: string): Promise<string | null> {
  return (await sys.real(path))?.split("/").at(-1) ?? null;
}

/**
 * A PCI address as sysfs writes it: vendors' tools write it in upper case, and the domain with eight digits.
 * @returns null for what is none
 */
export function normalAddress(text: string): string | null {
  const lower = text.trim().toLowerCase();
  const short = lower.replace(/^0000(?=[0-9a-f]{4}:)/, "");
  return ADDRESS.test(short) ? short : null;
}
