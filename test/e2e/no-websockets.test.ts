import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LocalCluster } from "../support/local-cluster.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/processes.ts";

const config = (port: number) => `
type: service
name: web
port: ${port}
commands: [exec python3 -m http.server --bind 127.0.0.1 $HEADRACE_PORT]
probes: [{type: http, url: /}]
resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}
drain_timeout: 1s
`;

let cluster: LocalCluster;
let proxy: Server;
let upgrades = 0;

/** A proxy in front of the control plane that passes requests on and knows no WebSockets. */
function plainProxy(target: string): Server {
  const server = createServer((incoming, outgoing) => {
    const { method, headers } = incoming;
    const passed = request(`${target}${incoming.url}`, { method: method ?? "GET", headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  });
  server.on("upgrade", (_request, socket) => {
    upgrades += 1;
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  return server;
}

beforeAll(async () => {
  cluster = await LocalCluster.start({
    agentServer: async (url) => {
      proxy = plainProxy(url);
      proxy.listen(0, "127.0.0.1");
      await once(proxy, "listening");
      return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    },
  });
});
afterAll(async () => {
  await cluster.dispose();
  proxy.close();
  proxy.closeAllConnections();
});

test("a service lives on a host whose network lets no WebSocket through, from its apply to its end", async () => {
  const client = cluster.client();
  await client.apply({ config: config(await freePort()), file: "web.yml", env: {} });
  const view = await cluster.untilReady("web");
  expect(view.replicas).toMatchObject([{ status: "ready", host: "local" }]);
  expect(upgrades).toBeGreaterThanOrEqual(3);
  const { agent } = cluster;
  await until(() => agent?.output().includes("no link can be opened") ?? false, agent?.output ?? (() => ""));

  const headers = { authorization: `Bearer ${cluster.token}` };
  const refused = await fetch(`${cluster.serviceUrl("web")}/`, { headers });
  expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining("lets no link through")]);
  expect((await fetch(`http://127.0.0.1:${view.replicas[0]?.port}/`)).status).toBe(200);

  await client.stop("web");
  await until(
    async () => (await cluster.view("web")).status === "stopped",
    () => "the service does not stop",
  );
  await until(
    () => cluster.leftOver().length === 0,
    () => cluster.leftOver().join("\n"),
  );
  const { commits } = await client.journal({ after: 0, limit: 500 });
  const types = new Set(commits.flatMap((commit) => commit.events.map((event) => event.type)));
  expect([...types].filter((type) => type === "host.silent" || type === "replica.lost")).toEqual([]);
});
