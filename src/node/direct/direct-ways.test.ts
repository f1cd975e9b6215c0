import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ReplicaPlace } from "../../control/types.ts";
import { LinkError } from "../../link/errors.ts";
import { settled, text, textOf } from "../../link/testing.ts";
import type { OpenToReplica, ReplicaWay } from "../../proxy/types.ts";
import { DirectWays } from "./direct-ways.ts";
import { DirectNetworks } from "./networks.ts";

/** A replica that listens on this machine, and what is known of where it runs. */
let replica: Server;
let place: ReplicaPlace | null;
let peer: string | null;
let now: number;
let ways: DirectWays;
let connections = 0;

const target = { replica: "r-1", host: "h-1" };
const open: OpenToReplica = { kind: "http", replica: "r-1", method: "POST", path: "/x", headers: [] };
const never = new AbortController().signal;
const link: ReplicaWay = {
  request: async (_open, body) => ({ head: { status: 200, headers: [] }, body: text(`link ${await textOf(body)}`) }),
};

async function listen(says: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === "/cut") request.socket.destroy();
    else response.end(says);
  });
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

const ask = async (way: ReplicaWay | null, path = "/x") =>
  way === null ? null : textOf((await way.request({ ...open, path }, text("body"), never)).body);

beforeEach(async () => {
  connections = 0;
  replica = await listen("direct");
  place = { fleet: "default", host: "h-1", address: "127.0.0.1", port: portOf(replica) };
  peer = "127.0.0.1";
  now = 0;
  ways = new DirectWays({
    networks: DirectNetworks.parse("main/default=127.0.0.0/8", "--direct"),
    placeOf: () => place,
    peerOf: () => peer,
    now: () => now,
  });
});

afterEach(async () => {
  await ways.close();
  replica.closeAllConnections();
  replica.close();
});

describe("a direct way", () => {
  it("skips the link, and is there without one", async () => {
    expect(await ask(ways.way("main", target, link))).toBe("direct");
    expect(await ask(ways.way("main", target, null))).toBe("direct");
  });

  it("is none where claim, observation and the operator's word do not agree", () => {
    const agreed = place as ReplicaPlace;
    peer = "127.0.0.2";
    expect(ways.way("main", target, link)).toBeNull();
    peer = null;
    expect(ways.way("main", target, link)).toBeNull();
    peer = "127.0.0.1";
    place = { ...agreed, address: "10.0.0.1" };
    expect(ways.way("main", target, link)).toBeNull();
    peer = "10.0.0.1";
    expect(ways.way("main", target, link)).toBeNull();
    peer = "127.0.0.1";
    place = { ...agreed, fleet: "other" };
    expect(ways.way("main", target, link)).toBeNull();
    place = agreed;
    expect(ways.way("other", target, link)).toBeNull();
    expect(ways.way("main", target, link)).not.toBeNull();
  });

  it("is none to a replica that has left its host, or is on another than the routes say", () => {
    expect(ways.way("main", { ...target, host: "h-2" }, link)).toBeNull();
    place = null;
    expect(ways.way("main", target, link)).toBeNull();
  });

  it("is none to a router that is not ready while there is a link: its agent knows whether it serves", async () => {
    const router = { ...target, unready: true as const };
    expect(ways.way("main", router, link)).toBeNull();
    expect(await ask(ways.way("main", router, null))).toBe("direct");
  });

  it("goes over the link while no connection comes about, and comes back", async () => {
    const { port } = place as ReplicaPlace;
    replica.closeAllConnections();
    replica.close();
    await once(replica, "close");
    expect(await ask(ways.way("main", target, link))).toBe("link body");
    // For a while nobody waits for a connection again.
    expect(ways.way("main", target, link)).toBeNull();
    await expect(ask(ways.way("main", target, null))).rejects.toMatchObject({ code: "closed", sent: false });
    replica = createServer((_request, response) => response.end("back")).listen(port, "127.0.0.1");
    await once(replica, "listening");
    now += 5_001;
    expect(await ask(ways.way("main", target, link))).toBe("back");
  });

  it("that breaks once the replica has the request is a failure of the replica, not a case for the link", async () => {
    const failure = await ask(ways.way("main", target, link), "/cut").catch((error) => error);
    expect(failure).toBeInstanceOf(LinkError);
    expect(failure).toMatchObject({ code: "reset", sent: true });
  });

  it("never uses a connection to one replica for another at the same address and port", async () => {
    for (let i = 0; i < 3; i++) {
      expect(await ask(ways.way("main", target, link))).toBe("direct");
      // The connection is free again a moment after its answer.
      await settled(3);
    }
    expect(connections).toBe(1);
    expect(await ask(ways.way("main", { ...target, replica: "r-2" }, link))).toBe("direct");
    expect(connections).toBe(2);
  });

  it("follows a replica that is placed elsewhere", async () => {
    expect(await ask(ways.way("main", target, link))).toBe("direct");
    const elsewhere = await listen("elsewhere");
    place = { ...(place as ReplicaPlace), port: portOf(elsewhere) };
    expect(await ask(ways.way("main", target, link))).toBe("elsewhere");
    elsewhere.closeAllConnections();
    elsewhere.close();
  });
});
