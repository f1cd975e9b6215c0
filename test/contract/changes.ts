import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ApplyAnswer, CommitView, TokenAnswer } from "../../src/control/views/views.ts";
import { LEAVE_PATH } from "../../src/wire/index.ts";
import type { Runtime } from "../support/control-planes.ts";
import { LinkStage, plainConfig } from "../support/link-stage.ts";
import { joinAs } from "../support/played-host.ts";
import { until } from "../support/processes.ts";
import { jobReportOf } from "../support/reports.ts";

/** What was answered. `body` is what the test takes it for. */
interface Answered<T> {
  status: number;
  body: T;
}

/** What a project's controller promises to those who ask for changes, whatever it runs on. */
export function changesContract(runtime: Runtime): void {
  describe(`changes: ${runtime}`, () => {
    let stage: LinkStage;
    beforeAll(async () => {
      stage = await LinkStage.start(runtime);
    });
    afterEach(() => stage.clear());
    afterAll(() => stage?.dispose());

    /** A request of the project's API; `key` is the idempotency key of a change. */
    async function ask<T>(method: string, path: string, key: string, body?: object, token = stage.token) {
      const response = await fetch(`${stage.url}/api/projects/main${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          "idempotency-key": key,
          ...(body && { "content-type": "application/json" }),
        },
        body: body ? JSON.stringify(body) : null,
      });
      return { status: response.status, body: (await response.json()) as T } satisfies Answered<T>;
    }

    type Refused = { error: { code: string } };
    const refusal = (status: number, code: string) => ({ status, body: { error: { code } } });
    const apply = (name: string, replicas: number, key: string, more = {}) =>
      ask<ApplyAnswer>("POST", "/apply", key, { config: plainConfig(name, replicas), ...more });
    const newKey = () => crypto.randomUUID();
    const replicasOf = async (service: string) => (await stage.client.service(service)).replicas.length;

    test("one that was answered is there after a crash, told in the journal with who made it", async () => {
      const name = stage.name("s");
      const { status, body } = await apply(name, 2, newKey());
      expect(status).toBe(200);
      await stage.kill();
      await stage.start();
      expect(await replicasOf(name)).toBe(2);
      const [told] = await stage.commits(body.version - 1);
      expect(told).toMatchObject({
        version: body.version,
        cause: expect.stringContaining("apply"),
        actor: expect.stringContaining("first admin"),
      });
      expect(told?.events).toContainEqual({ type: "service.applied", service: name, message: "revision 1" });
    });

    test("one repeated under its key gets the first answer and changes nothing, also after a crash", async () => {
      const [name, key] = [stage.name("s"), newKey()];
      const first = await apply(name, 1, key);
      await apply(name, 3, newKey());
      expect(await apply(name, 1, key)).toEqual(first);
      await stage.kill();
      await stage.start();
      expect(await apply(name, 1, key)).toEqual(first);
      expect(await replicasOf(name)).toBe(3);
      expect(await apply(name, 2, key)).toMatchObject(refusal(422, "idempotency_mismatch"));
    });

    test("one sent ten times at once under one key is made once", async () => {
      const [name, key, before] = [stage.name("s"), newKey(), await stage.version()];
      const answers = await Promise.all(Array.from({ length: 10 }, () => apply(name, 2, key)));
      expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
      expect(await replicasOf(name)).toBe(2);
      const applied = (await stage.commits(before)).flatMap(({ events }) =>
        events.filter(({ type }) => type === "service.applied"),
      );
      expect(applied).toHaveLength(1);
    });

    test("several at once are each made, once and whole", async () => {
      const [name, before] = [stage.name("s"), await stage.version()];
      const counts = [1, 2, 3, 4, 5, 6, 7, 8];
      const answers = await Promise.all(counts.map((count) => apply(name, count, newKey())));
      const revisions = answers.map(({ body }) => body.revision);
      expect(revisions.toSorted((a, b) => a - b)).toEqual(counts);
      const last = counts[revisions.indexOf(counts.length)];
      expect(await stage.client.service(name)).toMatchObject({ revision: counts.length });
      expect(await replicasOf(name)).toBe(last);
      const versions = (await stage.commits(before)).map(({ version }) => version);
      expect(versions).toEqual(versions.map((_, i) => before + 1 + i));
    });

    test("one that is refused leaves nothing behind, and its key may be used again", async () => {
      const [name, key] = [stage.name("s"), newKey()];
      const before = await stage.version();
      expect(await ask<Refused>("POST", `/services/${name}/stop`, key)).toMatchObject(refusal(404, "not_found"));
      expect(await stage.version()).toBe(before);
      await apply(name, 1, newKey());
      const applied = await stage.version();
      expect(await ask<Refused>("DELETE", `/services/${name}`, newKey())).toMatchObject(refusal(409, "conflict"));
      expect(await stage.version()).toBe(applied);
      expect(await ask("POST", `/services/${name}/stop`, key)).toMatchObject({ status: 200, body: { service: name } });
    });

    test("one that was planned before somebody else's is refused", async () => {
      const name = stage.name("s");
      await apply(name, 1, newKey(), { expectedRevision: 0 });
      const [one, other] = await Promise.all(
        [2, 3].map((count) => apply(name, count, newKey(), { expectedRevision: 1 })),
      );
      expect([one?.status, other?.status].toSorted()).toEqual([200, 409]);
      expect([one, other].find((answer) => answer?.status === 409)).toMatchObject(refusal(409, "stale_plan"));
      expect(await stage.client.service(name)).toMatchObject({ revision: 2 });
    });

    test("all are told to whoever follows, once and in order, also those that come while they read", async () => {
      const [name, after, end] = [stage.name("s"), await stage.version(), new AbortController()];
      const seen: CommitView[] = [];
      const following = (async () => {
        for await (const commit of stage.client.follow({ after, signal: end.signal })) {
          seen.push(commit);
          if (revisionsIn(seen) === 3) end.abort();
        }
      })();
      for (const count of [1, 2, 3]) await apply(name, count, newKey());
      await following.catch((error: unknown) => {
        if (!end.signal.aborted) throw error;
      });
      expect(seen.map(({ version }) => version)).toEqual(seen.map((_, i) => after + 1 + i));
    });

    test("a token asked for again under its key is the same one; revoked it opens nothing, and asked for it is not given", async () => {
      const [key, request] = [newKey(), { kind: "admin", name: "ci" }];
      const askFor = () => ask<TokenAnswer>("POST", "/tokens", key, request);
      const [{ body: made }, again] = await Promise.all([askFor(), askFor()]);
      expect(again).toMatchObject({ status: 200, body: made });
      expect((await ask("GET", "/services", key, undefined, made.token)).status).toBe(200);
      expect((await ask("DELETE", `/tokens/${made.id}`, newKey())).status).toBe(200);
      expect((await ask("GET", "/services", key, undefined, made.token)).status).toBe(401);
      expect(await askFor()).toMatchObject(refusal(409, "conflict"));
    });

    test("of many hosts that join with one token at once one is let in", async () => {
      const { token } = await stage.client.createToken({ kind: "join", name: "once" });
      const names = Array.from({ length: 20 }, () => stage.name("m"));
      const answers = await Promise.all(names.map((name) => joinAs(stage.url, token, name)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const hosts = await stage.client.hosts();
      expect(hosts).toHaveLength(1);
      await stage.client.removeHost(hosts[0]?.id ?? "", false);
    });

    test("what a host says of another one's job is not believed", async () => {
      const [here, liar] = [await stage.here(), await stage.joined()];
      await liar.dial();
      const service = await stage.apply(1);
      const replica = async () => (await stage.client.service(service)).replicas[0];
      await until(
        async () => (await replica())?.status === "starting",
        () => `the replica of ${service} does not become what it should`,
      );
      const id = (await replica())?.id ?? "";
      const lie = jobReportOf({ job: `${id}.0`, replica: id });
      expect((await liar.sync({ jobs: [lie] })).status).toBe(200);
      expect(await replica()).toMatchObject({ status: "starting", host: here.name });
      await here.sync({ jobs: [lie] });
      await until(
        async () => (await replica())?.status === "ready",
        () => `the replica of ${service} does not become what it should`,
      );
    });

    test("a host that is removed by force is forgotten with its credential, and what ran there is replaced", async () => {
      const host = await stage.here();
      const service = await stage.serve(host);
      const before = (await stage.client.service(service)).replicas[0];
      expect(await ask("DELETE", `/hosts/${host.id}`, newKey())).toMatchObject(refusal(409, "conflict"));
      const key = newKey();
      const removed = await ask("DELETE", `/hosts/${host.id}?force=true`, key);
      expect(removed.status).toBe(200);
      expect(await ask("DELETE", `/hosts/${host.id}?force=true`, key)).toEqual(removed);
      expect(await stage.client.hosts()).toEqual([]);
      const [after] = (await stage.client.service(service)).replicas;
      expect(after).toMatchObject({ status: "pending", reason: "no host has joined yet" });
      expect(after?.id).not.toBe(before?.id);
      const leaving = { method: "POST", headers: { authorization: `Bearer ${host.credential}` } };
      expect((await fetch(stage.url + LEAVE_PATH, leaving)).status).toBe(401);
    });
  });
}

function revisionsIn(commits: CommitView[]): number {
  return commits.flatMap(({ events }) => events).filter(({ type }) => type === "service.applied").length;
}
