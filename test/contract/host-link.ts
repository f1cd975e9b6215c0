import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LinkRefused } from "../../agents/host/dial.ts";
import { makeToken } from "../../src/control/tokens/tokens.ts";
import { REPORT_BYTES_MAX } from "../../src/wire/index.ts";
import type { Runtime } from "../support/control-planes.ts";
import { LinkStage } from "../support/link-stage.ts";
import { joinAs, PlayedHost } from "../support/played-host.ts";
import { until } from "../support/processes.ts";

/** Five times the second in which a host hears of what it shall run. */
const WOKEN_WITHIN_MS = 5_000;

/** What a host and the control plane owe each other, whatever the control plane runs on. */
export function hostLinkContract(runtime: Runtime): void {
  describe(`a host's link: ${runtime}`, () => {
    let stage: LinkStage;
    beforeAll(async () => {
      stage = await LinkStage.start(runtime);
    });
    afterEach(() => stage.clear());
    afterAll(() => stage?.dispose());

    /** How a link with this credential is refused. */
    async function refusalOf(credential: string): Promise<number | null> {
      const host = await stage.joined();
      const other = Object.assign(Object.create(PlayedHost.prototype), host, { credential }) as PlayedHost;
      const refused: unknown = await other.dial().catch((error) => error);
      return refused instanceof LinkRefused ? refused.status : null;
    }

    test("a join token admits one host, and no other token does", async () => {
      const { token } = await stage.client.createToken({ kind: "join", name: "once" });
      expect((await joinAs(stage.url, token, "first")).status).toBe(200);
      expect((await joinAs(stage.url, token, "second")).status).toBe(403);
      expect((await joinAs(stage.url, stage.token, "third")).status).toBe(403);
      expect((await joinAs(stage.url, makeToken("join"), "fourth")).status).toBe(401);
      const short = await stage.client.createToken({ kind: "join", name: "short", expiresInS: 1 });
      await until(
        () => Date.now() > (short.expiresAt ?? 0),
        () => "its second does not pass",
      );
      expect((await joinAs(stage.url, short.token, "fifth")).status).toBe(401);
      const [first, ...others] = await stage.client.hosts();
      expect(first).toMatchObject({ name: "first", online: false });
      expect(others).toEqual([]);
      await stage.client.removeHost(first?.id ?? "", false);
    });

    test("nothing but a host's own credential opens its link or is answered a sync", async () => {
      const join = (await stage.client.createToken({ kind: "join", name: "j" })).token;
      for (const credential of [makeToken("host"), join, stage.token, "nonsense"]) {
        expect(await refusalOf(credential)).toBe(401);
        const body = JSON.stringify((await stage.joined()).report());
        const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
        const { status } = await fetch(`${stage.url}/agent/sync`, { method: "POST", headers, body });
        expect([401, 403]).toContain(status);
      }
      const bare = await fetch(`${stage.url}/agent/sync`, { method: "POST", body: "{}" });
      expect(bare.status).toBe(401);
      expect((await stage.client.hosts()).filter(({ online }) => online)).toEqual([]);
    });

    test("is there from its first sync on, not from its dialling", async () => {
      const host = await stage.joined();
      await host.dial();
      expect(await stage.view(host)).toMatchObject({ online: false });
      expect(await host.sync()).toMatchObject({ status: 200, answer: { desired: { jobs: [] } } });
      await until(
        async () => (await stage.view(host))?.online === true,
        () => "it is not taken for online",
      );
    });

    test("is told what it shall run within a second of an apply", async () => {
      const host = await stage.here();
      // The first commits of a host come in a moment: its presence is one.
      await host.sync();
      const before = host.wakes;
      const service = await stage.apply();
      const since = performance.now();
      await until(
        () => host.wakes > before,
        () => "it is not woken",
      );
      expect(performance.now() - since).toBeLessThan(WOKEN_WITHIN_MS);
      await host.sync();
      expect(host.jobs).toMatchObject([{ service, phase: { kind: "run" } }]);
      // It holds them now, and is not told again.
      expect(await host.sync()).toMatchObject({ answer: { desired: null } });
    });

    test("is woken for every change, also for one that comes while it syncs", async () => {
      const host = await stage.here();
      for (let i = 0; i < 10; i += 1) {
        const syncing = host.sync();
        const before = host.wakes;
        const [service] = await Promise.all([stage.apply(), syncing]);
        // Either the sync that was under way brought it, or a wake-up that came after it was begun will.
        const isTold = () => host.jobs.some((job) => job.service === service);
        await until(
          () => isTold() || host.wakes > before,
          () => `${service} reaches nobody`,
        );
        await host.syncUntil(isTold, `is not told of ${service}`);
        await host.sync();
      }
      expect(host.jobs).toHaveLength(10);
    });

    test("a sync that says nothing new reaches no controller, and on Workers neither project nor database", async () => {
      const host = await stage.here();
      await stage.serve(host);
      for (let i = 0; i < 3; i += 1) await host.sync();
      const version = await stage.version();
      const before = stage.plane.database?.bodies.length;
      for (let i = 0; i < 20; i += 1) {
        expect(await host.sync()).toMatchObject({ status: 200, answer: { desired: null } });
      }
      expect(stage.plane.database?.bodies.length).toBe(before);
      expect(await stage.version()).toBe(version);
    });

    test("a report that is too large is refused with how large one may be, whichever way it comes", async () => {
      const host = await stage.here();
      const inventory = { ...host.report().inventory, warnings: ["x".repeat(REPORT_BYTES_MAX)] };
      const refused = {
        status: 413,
        error: { code: "too_large", message: expect.stringContaining(`${REPORT_BYTES_MAX} bytes`) },
      };
      expect(await host.sync({ inventory })).toMatchObject(refused);
      expect(await host.ask({ inventory })).toMatchObject(refused);
      expect(await host.sync()).toMatchObject({ status: 200 });
      expect(host.ended).toBeNull();
    });

    test("a copy of its credential on another machine neither displaces its link nor is answered", async () => {
      const host = await stage.here();
      const link = host.link;
      const copy = Object.assign(Object.create(PlayedHost.prototype), host) as PlayedHost;
      const other = await PlayedHost.prototype.dial.call(copy).catch(() => null);
      if (other === null) throw new Error("the copy is not even let in");
      const agent = { ...host.report().agent, machine: "another" };
      expect(await host.sync({ agent }, other)).toMatchObject({ status: 403, error: { code: "forbidden" } });
      expect(await host.ask({ agent })).toMatchObject({ status: 403 });
      host.link = link;
      const before = host.wakes;
      await stage.apply();
      await until(
        () => host.wakes > before,
        () => "the link that counts is not woken",
      );
      await host.syncUntil(() => host.jobs.length === 1, "is not told");
      other.close("the test is done with it");
    });

    test("a newer link of the same host takes the place of the older with its first sync", async () => {
      const host = await stage.here();
      const older = host.link;
      let olderEnded = false;
      const service = await stage.serve(host);
      await host.dial();
      // Not before: a host that dials and says nothing is not there.
      expect((await stage.fetch(service, "/v1/models")).status).toBe(200);
      await host.sync();
      await until(
        () =>
          older?.request({ kind: "sync" }).then(
            () => false,
            () => {
              olderEnded = true;
              return true;
            },
          ) ?? true,
        () => "the older link stays",
      );
      expect(olderEnded).toBe(true);
      expect(host.ended).toBeNull();
      expect((await stage.fetch(service, "/v1/models")).status).toBe(200);
      expect(await stage.view(host)).toMatchObject({ online: true, silentSince: null });
    });

    test("is offline when its link ends, silent in the journal after its time, and back with its next sync", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const version = await stage.version();
      host.leave();
      await until(
        async () => (await stage.view(host))?.online === false,
        () => "it stays online",
      );
      const events = async () =>
        (await stage.commits(version)).flatMap((commit) => commit.events.map(({ type }) => type));
      await until(
        async () => (await events()).includes("host.silent"),
        () => "it is not called silent",
      );
      await host.dial();
      await host.sync();
      await until(
        async () => (await stage.view(host))?.silentSince === null,
        () => "it is silent for ever",
      );
      expect(await events()).toEqual(["host.silent", "host.returned"]);
      expect((await stage.fetch(service, "/v1/models")).status).toBe(200);
    });

    test("that was removed, or has left by itself, loses its link and is let in no more, whichever way it comes", async () => {
      const [linked, asking, leaving] = [await stage.here(), await stage.joined(), await stage.here()];
      expect(await asking.ask()).toMatchObject({ status: 200 });
      await until(
        async () => (await stage.client.hosts()).every(({ online }) => online),
        () => "they are not both online",
      );
      await stage.client.removeHost(linked.id, false);
      await until(
        () => linked.ended !== null,
        () => "its link stays",
      );
      await stage.client.removeHost(asking.id, false);
      expect(await leaving.sayLeft()).toBe(200);
      await until(
        () => leaving.ended !== null,
        () => "its link stays",
      );
      expect(await leaving.sayLeft()).toBe(401);
      for (const host of [linked, asking, leaving]) {
        expect(await host.ask()).toMatchObject({ status: 401 });
        await expect(host.dial()).rejects.toMatchObject({ status: 401 });
      }
      expect(await stage.client.hosts()).toEqual([]);
    });

    // Where a removal ends every link of the host itself there is nothing to see.
    test.runIf(runtime === "node")("that is removed before it has reported loses its link when it does", async () => {
      const host = await stage.joined();
      await host.dial();
      await stage.client.removeHost(host.id, false);
      await expect(host.sync()).rejects.toThrow("the connection ended");
      expect(host.ended).not.toBeNull();
    });

    test.each(["a text that is no ping", "frames that make no sense"])(
      "%s ends the link, and nothing else",
      async (what) => {
        const [host, other] = [await stage.joined(), await stage.here()];
        const service = await stage.serve(other);
        const socket = await host.socket();
        const closed = once(socket, "close");
        socket.send(what.startsWith("a text") ? "hello" : new Uint8Array([0, 0, 0, 200, 1, 2, 3]));
        await closed;
        expect(other.ended).toBeNull();
        expect((await stage.fetch(service, "/v1/models")).status).toBe(200);
        await host.dial();
        expect(await host.sync()).toMatchObject({ status: 200 });
      },
    );
  });
}
