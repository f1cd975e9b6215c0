import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A TCP socket that listens, or a UDP socket that takes what comes from anywhere. */
export interface Listener {
  protocol: "tcp" | "udp";
  port: number;
  /** Command lines of the processes that have it. */
  commands: string[];
}

/** States of `/proc/net`: a TCP socket that listens, and a UDP socket that is not connected. */
const OPEN_STATE = { tcp: "0A", udp: "07" } as const;

/** All of them in the network that a process is in, whoever has them. One that comes or goes meanwhile is left out. */
export function listenersIn(pid: number): Listener[] {
  const before = socketsIn(pid);
  const owners = commandsBySocket();
  const stayed = new Set(socketsIn(pid).map(({ socket }) => socket));
  return before
    .filter(({ socket }) => stayed.has(socket))
    .map(({ protocol, port, socket }) => ({ protocol, port, commands: owners.get(socket) ?? [] }));
}

function socketsIn(pid: number): (Pick<Listener, "protocol" | "port"> & { socket: string })[] {
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    [protocol, `${protocol}6`].flatMap((file) =>
      readFileSync(`/proc/${pid}/net/${file}`, "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , , state]) => state === OPEN_STATE[protocol])
        .map((fields) => ({
          protocol,
          port: Number.parseInt(fields[1]?.split(":")[1] ?? "", 16),
          socket: fields[9] ?? "",
        })),
    ),
  );
}

/** By the number of the socket. */
function commandsBySocket(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const socket = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (socket !== undefined) found.set(socket, [...(found.get(socket) ?? []), command]);
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
