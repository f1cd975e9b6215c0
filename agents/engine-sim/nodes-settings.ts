import { ArgumentError, type Arguments } from "./arguments.ts";

/** The processes of an engine that spans several nodes. */
export interface NodesSettings {
  count: number;
  /** Only 0 serves. */
  rank: number;
  /** Where they meet: at rank 0. Null for an engine of one node. */
  meeting: { host: string; port: number } | null;
  /** How long they wait for each other. */
  timeoutMs: number;
}

/** More nodes than any engine has. */
const NODES_MAX = 128;

/** PyTorch's own limit. */
const TIMEOUT_S_DEFAULT = 600;

/** @throws ArgumentError when the flags do not fit each other */
export function readNodes(args: Arguments): NodesSettings {
  const count = args.integer(["--nnodes"], 1) ?? 1;
  const rank = args.integer(["--node-rank"], 0) ?? 0;
  const address = args.text("--dist-init-addr");
  const timeoutMs = (args.integer(["--dist-timeout"], 1) ?? TIMEOUT_S_DEFAULT) * 1000;
  if (count > NODES_MAX) throw new ArgumentError(`argument --nnodes: ${count} is above ${NODES_MAX}`);
  if (rank >= count) throw new ArgumentError(`argument --node-rank: ${rank} is not below --nnodes ${count}`);
  if (count === 1) return { count, rank, meeting: null, timeoutMs };
  const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(address ?? "") ?? [];
  if (host === "") throw new ArgumentError("argument --dist-init-addr: host:port of rank 0 is needed with --nnodes");
  return { count, rank, meeting: { host: host.replace(/^\[|\]$/g, ""), port: Number(port) }, timeoutMs };
}
