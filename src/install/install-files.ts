import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { installScript, type NodeSource } from "./install-script.ts";
import { ARCHS, DEFAULT_NODE_URL, isKnownArch, ownNode, pinnedNode } from "./pinned-node.ts";

/** What an installed agent runs from, by the names that it looks for itself (agents/host/programs.ts). */
const PROGRAMS = ["agent.cjs", "supervisor.cjs"];

/** A build of the agent, called by what it holds. */
interface PackedAgent {
  sha256: string;
  archive: Uint8Array<ArrayBuffer>;
}

/** A file of the folder that installations fetch from. */
export interface InstallFile {
  type: string;
  /** Called when it is read: a Node is large, and packed as it is sent. */
  open(): Uint8Array<ArrayBuffer> | Readable;
}

export interface InstallSources {
  /** The folder with the agent's programs. */
  bundle: string;
  /** The Node that runs this. */
  node: { path: string; platform: string; arch: string };
  /** Where hosts get Node in place of this one; see `pinnedNode`. null = this one, and others from the default place. */
  nodeUrl: string | null;
}

/**
 * The script that installs an agent, and what it fetches from beside itself, each named by its SHA-256. They are made at
 * the first question.
 */
export class InstallFiles {
  readonly #sources: InstallSources;
  #agent: Promise<PackedAgent> | null = null;
  #made: Promise<ReadonlyMap<string, InstallFile>> | null = null;

  constructor(sources: InstallSources) {
    this.#sources = sources;
  }

  /** The agent alone, without reading Node. */
  agent(): Promise<PackedAgent> {
    this.#agent ??= packAgent(this.#sources.bundle).catch((error) => {
      this.#agent = null;
      throw error;
    });
    return this.#agent;
  }

  /** By name, `install.sh` among them. */
  all(): Promise<ReadonlyMap<string, InstallFile>> {
    this.#made ??= this.agent()
      .then((agent) => makeFiles(agent, this.#sources))
      .catch((error) => {
        this.#made = null;
        throw error;
      });
    return this.#made;
  }
}

async function makeFiles(
  { sha256: agentSha256, archive: agent }: PackedAgent,
  { node, nodeUrl }: InstallSources,
): Promise<ReadonlyMap<string, InstallFile>> {
  const files = new Map<string, InstallFile>([
    [`${agentSha256}.tar.gz`, { type: "application/gzip", open: () => agent }],
  ]);
  const gives = nodeUrl === null && node.platform === "linux" && isKnownArch(node.arch) ? node.arch : null;
  const nodes: NodeSource[] = ARCHS.filter((arch) => arch !== gives).map((arch) =>
    pinnedNode(arch, nodeUrl ?? DEFAULT_NODE_URL),
  );
  if (gives !== null) {
    const own = ownNode(gives, await sha256Of(node.path));
    nodes.unshift(own);
    files.set(`${own.sha256}.gz`, { type: "application/gzip", open: () => packed(node.path) });
  }
  const script = new TextEncoder().encode(installScript({ agentSha256, nodes }));
  files.set("install.sh", { type: "text/x-shellscript; charset=utf-8", open: () => script });
  return files;
}

/** The same programs give the same archive, whoever packs them and whenever. */
async function packAgent(bundle: string): Promise<PackedAgent> {
  // Few servers are asked in their life.
  const { create } = await import("tar");
  const chunks = await create(
    { cwd: bundle, gzip: { portable: true }, portable: true, noMtime: true },
    PROGRAMS,
  ).collect();
  const archive = new Uint8Array(Buffer.concat(chunks));
  return { sha256: createHash("sha256").update(archive).digest("hex"), archive };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Quickly rather than well: 50 MB of 127 either way, in 2.5 s of a core. */
function packed(path: string): Readable {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  // Ends the reading as well when nobody wants the rest; who reads is told of an error by the stream.
  pipeline(createReadStream(path), gzip, () => {});
  return gzip;
}
