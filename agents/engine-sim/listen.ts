import type { AddressInfo, Server } from "node:net";

/** @returns the port listened on. @throws Error with uvicorn's words when the address is taken */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error: NodeJS.ErrnoException) => {
    const why = error.code === "EADDRINUSE" ? "address already in use" : error.message;
    reject(new Error(`error while attempting to bind on address ('${host}', ${port}): ${why}`));
  });
  server.listen(port, host, resolve);
  await promise;
  return (server.address() as AddressInfo).port;
}
