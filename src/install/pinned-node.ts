import type { NodeSource } from "./install-script.ts";

/** The Node that hosts are given where the server cannot give its own: the one that all is tested on. */
export const PINNED_VERSION = "24.21.0";

/** SHA-256 of `bin/node` for Linux with glibc: the program itself, so that it does not matter what brings it. */
const PINNED = {
  x64: "7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c",
  arm64: "0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584",
} as const;

type Arch = keyof typeof PINNED;

/** How `uname -m` calls machines that Node's own names are for. */
const MACHINES: Record<Arch, string> = { x64: "x86_64|amd64", arm64: "aarch64|arm64" };

export const ARCHS = Object.keys(PINNED) as Arch[];

export function isKnownArch(arch: string): arch is Arch {
  return arch in PINNED;
}

/** Where Node is distributed as an npm package of the same name that sets this project up. */
export const DEFAULT_NODE_URL = "https://registry.npmjs.org/node-linux-{arch}/-/node-linux-{arch}-{version}.tgz";

/** The pinned Node from elsewhere. @param url of a .tar.gz, with `{arch}` (x64, arm64) and `{version}` in it */
export function pinnedNode(arch: Arch, url: string): NodeSource {
  const filled = url.replaceAll("{arch}", arch).replaceAll("{version}", PINNED_VERSION);
  return { machine: MACHINES[arch], sha256: PINNED[arch], url: filled };
}

/** A Node that lies beside the script. */
export function ownNode(arch: Arch, sha256: string): NodeSource {
  return { machine: MACHINES[arch], sha256, url: null };
}
