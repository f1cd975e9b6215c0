import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { wholeOf } from "../../src/link/flows.ts";
import { LINK_AWAITED_MS_MAX } from "../../src/proxy/limits.ts";
import { RUNTIMES, type Runtime } from "../support/control-planes.ts";
import { LinkStage } from "../support/link-stage.ts";
import { json, type PlayedHost } from "../support/played-host.ts";
import { until } from "../support/processes.ts";

/** Twenty requests a second. */
const EVERY_MS = 50;
/** Longer than agents take to dial again. */
const AWAY_MS = 2_000;
/** What is not waited for is answered well within this, on a slow machine too. */
const AT_ONCE_MS = 5_000;

const LARGE_BYTES = 3 * 1024 * 1024;

interface Asked {
  status: number;
  text: string;
  tookMs: number;
}

for (const runtime of RUNTIMES) awaitedHostContract(runtime);

/** What becomes of requests for a service whose hosts have lost their links, and come back or do not. */
function awaitedHostContract(runtime: Runtime): void {
  describe(`requests for a host without a link: ${runtime}`, () => {
    let stage: LinkStage;
    beforeAll(async () => {
      stage = await LinkStage.start(runtime);
    });
    afterEach(() => stage.clear());
    afterAll(() => stage?.dispose());

    async function ask(service: string, body = ""): Promise<Asked> {
      const began = performance.now();
      const answer = await stage.fetch(service, "/v1/x", { method: "POST", body });
      return { status: answer.status, text: await answer.text(), tookMs: performance.now() - began };
    }

    /** Its link ends, and the control plane knows. */
    async function cut(host: PlayedHost): Promise<void> {
      host.leave();
      await until(
        async () => (await stage.view(host))?.online === false,
        () => "it stays online",
      );
    }

    /** Says what it was asked, and keeps a list. */
    function noting(host: PlayedHost): string[] {
      const seen: string[] = [];
      host.answering = async (_open, body) => {
        const text = new TextDecoder().decode(body as Uint8Array);
        seen.push(text);
        return json(200, text);
      };
      return seen;
    }

    test.each(["killed and started again", "replaced by another deployment"])(
      "%s: none fails of those that come from its first moment on, and each arrives once",
      async (what) => {
        const host = await stage.here();
        const service = await stage.serve(host);
        const seen = noting(host);
        await stage.kill();
        if (what.startsWith("replaced")) await stage.plane.deploy();
        await stage.start();
        const asked: Promise<Asked>[] = [];
        const timer = setInterval(() => asked.push(ask(service, `n${asked.length}`)), EVERY_MS);
        await delay(AWAY_MS);
        expect(seen).toEqual([]);
        await host.dialUntilLet();
        expect(await host.sync()).toMatchObject({ status: 200 });
        await delay(EVERY_MS * 4);
        clearInterval(timer);
        const answers = await Promise.all(asked);
        expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200));
        expect(seen.toSorted()).toEqual(asked.map((_, i) => `n${i}`).toSorted());
      },
    );

    test("those that come while it dials again wait for it", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const seen = noting(host);
      await cut(host);
      const asked = [ask(service, "0"), ask(service, "1"), ask(service, "2")];
      await delay(500);
      expect(seen).toEqual([]);
      await host.dial();
      await host.sync();
      expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(seen.toSorted()).toEqual(["0", "1", "2"]);
    });

    test("those that another host can answer do not wait", async () => {
      const [away, other] = [await stage.here(), await stage.here()];
      const service = await stage.serve(away, other);
      const seen = noting(other);
      await cut(away);
      const answers = await Promise.all([0, 1, 2, 3].map((i) => ask(service, `${i}`)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(AT_ONCE_MS);
      expect(seen).toHaveLength(4);
    });

    test("a body that is too large to be kept reaches the host that is there, whole", async () => {
      const [away, other] = [await stage.here(), await stage.here()];
      const service = await stage.serve(away, other);
      other.answering = async (_open, body) => json(200, (await wholeOf(body, LARGE_BYTES)).byteLength);
      await cut(away);
      const answers = await Promise.all([0, 1, 2, 3].map(() => ask(service, "x".repeat(LARGE_BYTES))));
      expect(answers.map(({ status, text }) => [status, text])).toEqual(Array(4).fill([200, `${LARGE_BYTES}`]));
    });

    test("the first of their hosts to come back answers them", async () => {
      const [away, other] = [await stage.here(), await stage.here()];
      const service = await stage.serve(away, other);
      const seen = noting(other);
      for (const host of [away, other]) await cut(host);
      const asked = [0, 1, 2, 3].map((i) => ask(service, `${i}`));
      await delay(300);
      await other.dial();
      await other.sync();
      expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(seen).toHaveLength(4);
    });

    test("those for a host that does not come are refused in time, and soon at once", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      await cut(host);
      const first = await ask(service);
      expect(first).toMatchObject({ status: 503, text: expect.stringContaining("hosts_unreachable") });
      expect(first.tookMs).toBeLessThan(LINK_AWAITED_MS_MAX + AT_ONCE_MS);
      const next = await ask(service);
      expect(next).toMatchObject({ status: 503, text: expect.stringContaining("hosts_unreachable") });
      expect(next.tookMs).toBeLessThan(AT_ONCE_MS);
    });

    test("one whose client has left is not sent on", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const seen: string[] = [];
      host.answering = async ({ path }) => {
        seen.push(path);
        return json(200, path);
      };
      await cut(host);
      const left = stage.leaver(service, "/v1/left");
      const asked = ask(service);
      await delay(500);
      left.leave();
      await delay(500);
      await host.dial();
      await host.sync();
      expect(await asked).toMatchObject({ status: 200 });
      expect((await ask(service)).status).toBe(200);
      expect(seen).toEqual(["/v1/x", "/v1/x"]);
    });

    test("one whose host is removed is refused at once", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      await cut(host);
      const asked = ask(service);
      await delay(300);
      await stage.client.removeHost(host.id, true);
      const { status, tookMs } = await asked;
      expect(status).toBe(503);
      expect(tookMs).toBeLessThan(AT_ONCE_MS);
    });
  });
}
