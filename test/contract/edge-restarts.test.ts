import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import type { CommitView } from "../../src/control/views/views.ts";
import { apply } from "../crash/world.ts";
import { CONTROL_PLANES } from "../support/control-planes.ts";
import { RESTARTED_HEADER } from "../support/edge/restarts.ts";
import { LinkStage } from "../support/link-stage.ts";
import type { PlayedHost } from "../support/played-host.ts";
import { until } from "../support/processes.ts";

/**
 * A deployment, and now and then the platform by itself, restarts an object in the middle of what it does, while the
 * Worker in front of it and whoever asked go on. (That the whole process is killed is in interruptions.ts.)
 */
describe("an object that is restarted", () => {
  let stage: LinkStage;
  beforeAll(async () => {
    const worker = join(ROOT, "test/support/edge/restarting-worker.ts");
    stage = await LinkStage.start("workerd", (place) => CONTROL_PLANES.workerd({ ...place, worker }));
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.dispose());

  /** @param object a project, or a project and a host of it */
  async function restart(object: string): Promise<void> {
    const { status } = await fetch(stage.url, { headers: { [RESTARTED_HEADER]: object } });
    expect(status).toBe(204);
  }

  async function comesBack(host: PlayedHost): Promise<void> {
    await until(
      () => host.ended !== null,
      () => "it believes in its link",
    );
    await host.dialUntilLet();
    expect(await host.sync()).toMatchObject({ status: 200 });
  }

  test.each(["whose length nobody knows", "whose length was promised"])(
    "breaks the streams of its host, %s, and ends none in silence; the host comes back and is asked again",
    async (what) => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const promised: [string, string][] = what.includes("promised") ? [["content-length", "1000"]] : [];
      host.answering = async () => ({
        head: { status: 200, headers: [["content-type", "text/event-stream"], ...promised] },
        body: new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
        }),
      });
      const stream = async () => {
        const reader = (await stage.fetch(service, "/v1/stream")).body?.getReader();
        expect((await reader?.read())?.done).toBe(false);
        return reader;
      };
      const before = await stage.version();
      const cut = await stream();
      await restart(`main/${host.id}`);
      await expect(cut?.read()).rejects.toThrow();
      await comesBack(host);
      await (await stream())?.cancel();
      expect((await stage.commits(before)).flatMap(({ events }) => events)).toEqual([]);
    },
  );

  test("answers a request that had no answer yet with an error that says to ask again", async () => {
    const host = await stage.here();
    const service = await stage.serve(host);
    let isAsked = false;
    host.answering = () => {
      isAsked = true;
      return new Promise(() => undefined);
    };
    const asked = stage.fetch(service, "/v1/chat/completions", { method: "POST", body: "{}" });
    await until(
      () => isAsked,
      () => "the replica hears of nothing",
    );
    await restart(`main/${host.id}`);
    const answer = await asked;
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect([answer.status, error.code]).toEqual([502, "replica_failed"]);
    expect(error.message).toContain("the link was interrupted");
  });

  test("that is a project's, while its commit is on its way: whoever asked is told to repeat it, and it is made once", async () => {
    const { database } = stage.plane;
    const before = await stage.version();
    let write = () => {};
    database?.failWrites(new Promise<void>((resolve) => (write = resolve)));
    const change = () => apply(stage.url, stage.token, "the-one-change", 1);
    const refused = change().then(
      () => expect.unreachable(),
      (error: Error) => error.message,
    );
    await until(
      () => database?.faultsLeft === 0,
      () => "the commit does not come",
    );
    await restart("main");
    expect(await refused).toContain("503");
    expect(await refused).toContain("repeat this under the same idempotency key");
    write();
    expect(await change()).toMatchObject({ service: "chat", revision: 1, action: "create" });
    const events = (await stage.commits(before)).flatMap((commit) => commit.events.map(({ type }) => type));
    expect(events.filter((type) => type === "service.applied")).toHaveLength(1);
  });

  test("that is a project's loses none of the commits for those who follow them", async () => {
    const left = new AbortController();
    const seen: CommitView[] = [];
    const before = await stage.version();
    const following = (async () => {
      for await (const commit of stage.client.follow({ after: before, signal: left.signal })) seen.push(commit);
    })();
    const names: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      names.push(await stage.apply());
      await until(
        () => names.every((name) => seen.some(({ events }) => events.some(({ service }) => service === name))),
        () => `of ${names} only ${seen.length} commits came`,
      );
      await restart("main");
    }
    left.abort();
    await following;
    const versions = seen.map(({ version }) => version);
    expect(versions).toEqual(versions.map((_, i) => before + 1 + i));
  });
});
