import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Runtime } from "../support/control-planes.ts";
import { LinkStage } from "../support/link-stage.ts";
import { until } from "../support/processes.ts";

/** The control plane is gone in the middle of everything and comes back, as it was or as another deployment. */
export function interruptionsContract(runtime: Runtime): void {
  describe(`interruptions: ${runtime}`, () => {
    let stage: LinkStage;
    beforeAll(async () => {
      stage = await LinkStage.start(runtime);
    });
    afterEach(() => stage.clear());
    afterAll(() => stage?.dispose());

    test.each(["killed and started again", "replaced by another deployment"])(
      "%s: streams break and never end silently, the host comes back, and nothing else changes",
      async (what) => {
        const [host, idle] = [await stage.here(), await stage.here()];
        const service = await stage.serve(host, idle);
        for (const each of [host, idle]) {
          each.answering = async () => ({
            head: { status: 200, headers: [["content-type", "text/event-stream"]] },
            body: new ReadableStream<Uint8Array>({
              start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
            }),
          });
          await each.sync();
        }
        const streams = await Promise.all(
          Array.from({ length: 4 }, async () => {
            const reader = (await stage.fetch(service, "/v1/stream")).body?.getReader();
            if (!reader) throw new Error("the answer has no body");
            expect((await reader.read()).done).toBe(false);
            return reader;
          }),
        );
        const before = await stage.version();
        const jobs = host.jobs.map(({ job }) => job);
        await stage.kill();
        for (const reader of streams) await expect(reader.read()).rejects.toThrow();
        for (const each of [host, idle]) {
          await until(
            () => each.ended !== null,
            () => "a host believes in its link",
          );
        }
        if (what.startsWith("replaced")) await stage.plane.deploy();
        await stage.start();
        for (const each of [host, idle]) {
          await each.dialUntilLet();
          expect(await each.sync()).toMatchObject({ status: 200 });
        }
        await until(
          async () => (await stage.client.hosts()).every(({ online, silentSince }) => online && silentSince === null),
          () => "the hosts do not come back",
        );
        expect(host.jobs.map(({ job }) => job)).toEqual(jobs);
        const reader = (await stage.fetch(service, "/v1/stream")).body?.getReader();
        expect((await reader?.read())?.done).toBe(false);
        await reader?.cancel();
        expect((await stage.commits(before)).flatMap(({ events }) => events)).toEqual([]);
      },
    );
  });
}
