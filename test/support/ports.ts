import { once } from "node:events";
import { createServer } from "node:net";

/**
 * None of these is given by the system to whoever asks for any port (/proc/sys/net/ipv4/ip_local_port_range), nor by a
 * control plane to a job (src/core/limits.ts): between the answer and its use nobody else takes it but another test.
 */
const RANGE = { first: 10_000, last: 19_999 };
const SIZE = RANGE.last - RANGE.first + 1;

/** Tests that run at the same time begin elsewhere; one process is given none twice. */
let next = Math.floor(Math.random() * SIZE);

/** A port of this machine that nothing listens on now. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < SIZE; tried += 1) {
    const port = RANGE.first + (next % SIZE);
    next += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${RANGE.first} to ${RANGE.last} is free`);
}

/** So many of them. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

/** Whether no address of this machine has the port. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port);
  const listens = await once(server, "listening").then(
    () => true,
    () => false,
  );
  if (listens) await once(server.close(), "close");
  return listens;
}
