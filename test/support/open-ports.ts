import { connect } from "node:net";

const PORT_MAX = 65_535;
/** At a time. A machine that nothing lies between answers for a port that is closed at once. */
const CONNECTIONS = 256;
const CONNECT_WITHIN_MS = 5_000;

/** Which TCP ports of another machine, or of a namespace that stands for one, accept a connection: all are tried. */
export async function openPorts(address: string): Promise<number[]> {
  const open: number[] = [];
  let next = 1;
  const scan = async () => {
    while (next <= PORT_MAX) {
      const port = next;
      next += 1;
      if (await accepts(address, port)) open.push(port);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, scan));
  return open.sort((a, b) => a - b);
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_WITHIN_MS });
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
