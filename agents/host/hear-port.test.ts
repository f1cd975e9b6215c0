import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { isSilent } from "./hear-port.ts";

/** Short, so that the one test that has to wait for all of it is quick; the others end with an answer. */
const SILENT_MS = 100;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(accepted: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    accepted(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

it("takes any answer for one, also a refusal", async () => {
  const port = await listening((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"));
  });
  expect(await isSilent("127.0.0.1", port)).toBe(false);
});

it("calls silent what accepts and says nothing", async () => {
  const port = await listening(() => undefined);
  expect(await isSilent("127.0.0.1", port, SILENT_MS)).toBe(true);
});

it("does not call silent what hangs up, or is not there", async () => {
  const port = await listening((socket) => socket.destroy());
  expect(await isSilent("127.0.0.1", port)).toBe(false);
  const closed = await listening(() => undefined);
  await new Promise((resolve) => servers.at(-1)?.close(resolve));
  expect(await isSilent("127.0.0.1", closed)).toBe(false);
});
