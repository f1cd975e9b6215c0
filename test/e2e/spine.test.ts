import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/bootstrap.js";
import { chat } from "../support/chat.ts";
import { RUNTIMES } from "../support/control-planes.ts";
import { LocalCluster } from "../support/local-cluster.ts";
import { until } from "../support/processes.ts";

const EXAMPLE = join(ROOT, "examples/prefill-decode.yml");
const SERVICE = "prefill-decode";
const MODEL = "Qwen/Qwen3-8B";

let cluster: LocalCluster;

const url = () => cluster.serviceUrl(SERVICE);
const ask = (over: Record<string, unknown> = {}, onChunk?: (chunks: number) => void) =>
  chat(url(), cluster.token, { model: MODEL, ...over }, onChunk);
const pids = async () => {
  const { replicas } = await cluster.view(SERVICE);
  return replicas.map((replica) => [replica.id, replica.observed?.attempt]).sort();
};

/** In this order: each test takes over what the one before left. */
describe.each(RUNTIMES)("one service on one host, by a control plane on %s", (runtime) => {
  beforeAll(async () => {
    cluster = await LocalCluster.start({ runtime });
  });
  afterAll(() => cluster.dispose());

  test("an apply that was answered is there after kill -9 of the control plane, and becomes ready", async () => {
    const applied = await cluster.headrace(["apply", "-f", EXAMPLE, "-y", "-d"]);
    expect(applied.code, applied.output).toBe(0);
    await cluster.server?.stop("SIGKILL");
    await cluster.startServer();
    const view = await cluster.untilReady(SERVICE);
    expect(view.groups.map(({ name, ready }) => [name, ready])).toEqual([
      ["router", 1],
      ["prefill", 1],
      ["decode", 2],
    ]);
    expect(await ask()).toMatchObject({ status: 200, whole: true });
  });

  test("the agent and the supervisor of each job run from the bundle", async () => {
    const { replicas } = await cluster.view(SERVICE);
    const supervisors = replicas.map(({ id }) => cluster.supervisorOf(id));
    const [agent, ...others] = [cluster.agent?.pid, ...supervisors].map((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"),
    );
    expect(agent).toContainEqual(expect.stringMatching(/\.toolchain\/bundles\/\w+\/agent\.cjs$/));
    expect(others).toHaveLength(4);
    for (const each of others)
      expect(each).toContainEqual(expect.stringMatching(/\.toolchain\/bundles\/\w+\/supervisor\.cjs$/));
  });

  test("streams a chat completion token by token", async () => {
    const answer = await ask({ stream: true, max_tokens: 32, ignore_eos: true });
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.chunks).toBeGreaterThanOrEqual(16);
  });

  test("is found by its model's name", async () => {
    const answer = await chat(`${cluster.url}/proxy/models/main`, cluster.token, { model: MODEL });
    expect(answer).toMatchObject({ status: 200, whole: true });
    const unknown = await chat(`${cluster.url}/proxy/models/main`, cluster.token, { model: "nobody-has-this" });
    expect(unknown.status).toBe(404);
  });

  test("serves only those with a token, and only what a caller may ask of a router", async () => {
    expect((await chat(url(), "wrong", { model: MODEL })).status).toBe(401);
    const workers = await fetch(`${url()}/workers`, { headers: { authorization: `Bearer ${cluster.token}` } });
    expect(workers.status).toBe(403);
    const nobody = await chat(cluster.serviceUrl("nobody"), cluster.token, { model: MODEL });
    expect(nobody.status).toBe(404);
  });

  test("serves nobody with a token that was revoked", async () => {
    const made = await cluster.client().createToken({ kind: "member", name: "leaked" });
    const statusOf = async () => (await chat(url(), made.token, { model: MODEL })).status;
    expect(await statusOf()).toBe(200);
    const revoked = await cluster.headrace(["token", "revoke", "leaked", "-y"]);
    expect(revoked.code, revoked.output).toBe(0);
    const api = await fetch(`${cluster.url}/api/me`, { headers: { authorization: `Bearer ${made.token}` } });
    expect(api.status).toBe(401);
    // Where another isolate than the one that revoked it answers, the token is believed for two seconds more.
    await until(
      async () => (await statusOf()) === 401,
      () => "the revoked token is still served",
    );
  });

  test("kill -9 of the agent leaves its jobs running; the next agent adopts them", async () => {
    const before = await pids();
    await cluster.agent?.stop("SIGKILL");
    await cluster.startAgent();
    await cluster.untilReady(SERVICE);
    expect(await pids()).toEqual(before);
    expect(await ask()).toMatchObject({ status: 200, whole: true });
  });

  test("kill -9 of the control plane changes nothing that runs", async () => {
    const before = await pids();
    await cluster.server?.stop("SIGKILL");
    await cluster.startServer();
    await until(
      async () => (await ask()).status === 200,
      () => cluster.server?.output() ?? "",
    );
    await cluster.untilReady(SERVICE);
    expect(await pids()).toEqual(before);
    const { commits } = await cluster.client().journal({ after: -5, limit: 5 });
    expect(commits.flatMap((commit) => commit.events).filter((event) => event.type === "replica.unlisting")).toEqual(
      [],
    );
  });

  test("a killed worker is started again in place and listed again", async () => {
    const decode = (await cluster.view(SERVICE)).replicas.find((replica) => replica.group === "decode");
    const killed = cluster.killJob(decode?.id ?? "");
    expect(killed).toBeGreaterThan(0);
    let replica = decode;
    await until(
      async () => {
        replica = (await cluster.view(SERVICE)).replicas.find(({ id }) => id === decode?.id);
        return replica?.status === "ready" && (replica.observed?.attempt ?? 0) > (decode?.observed?.attempt ?? 0);
      },
      () => `${JSON.stringify([decode, replica])}\n${cluster.server?.output()}\n${cluster.agent?.output()}`,
    );
  });

  test("its logs can be read and followed", async () => {
    const logs = await cluster.headrace(["logs", SERVICE, "--tail", "50"]);
    expect(logs.code, logs.output).toBe(0);
    expect(logs.stdout).toContain("The server is fired up and ready to roll!");
  });

  test("a changed count is applied in place", async () => {
    const more = await cluster.applyExample(EXAMPLE, (text) => text.replace(/(name: decode\n\s+count: )2/, "$13"));
    expect(more.code, more.output).toBe(0);
    expect((await cluster.view(SERVICE)).groups.find((group) => group.name === "decode")).toMatchObject({
      ready: 3,
      wanted: 3,
    });
    const less = await cluster.applyExample(EXAMPLE, (text) => text);
    expect(less.code, less.output).toBe(0);
    await until(
      async () => (await cluster.view(SERVICE)).replicas.length === 4,
      () => "the surplus decode stays",
    );
  });

  test("files and folders travel with a service, and outlive a restart in place", async () => {
    const folder = join(cluster.folder, "with-files");
    mkdirSync(join(folder, "site/sub"), { recursive: true });
    writeFileSync(join(folder, "site/sub/page.txt"), "from the folder");
    writeFileSync(join(folder, "serve.sh"), "exec python3 -m http.server $1 --directory pages");
    const config = [
      "type: service",
      "name: files",
      "port: 8000",
      "files: [./site:pages, serve.sh]",
      "commands: [sh serve.sh $HEADRACE_PORT]",
      "resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}",
    ];
    writeFileSync(join(folder, "service.yml"), config.join("\n"));
    const applied = await cluster.headrace(["apply", "-f", join(folder, "service.yml"), "-y", "--timeout", "1m"]);
    expect(applied.code, applied.output).toBe(0);
    const page = async () => {
      const response = await fetch(`${cluster.serviceUrl("files")}/sub/page.txt`, {
        headers: { authorization: `Bearer ${cluster.token}` },
      });
      return response.text();
    };
    await until(
      async () => (await page()) === "from the folder",
      () => applied.output,
    );
    const replica = (await cluster.view("files")).replicas[0]?.id ?? "";
    expect(cluster.killJob(replica)).toBeGreaterThan(0);
    const restarted = async () => (await cluster.view("files")).replicas[0]?.observed?.attempt === 2;
    await until(
      async () => (await restarted()) && (await page()) === "from the folder",
      () => cluster.agent?.output() ?? "",
    );
    writeFileSync(join(folder, "site/sub/page.txt"), "changed since");
    const plan = await cluster.headrace(["plan", "-f", join(folder, "service.yml")]);
    expect(plan.stdout).toContain("files: pages");
    expect((await cluster.headrace(["stop", "files", "-y"])).code).toBe(0);
    expect((await cluster.headrace(["delete", "files", "-y"])).code).toBe(0);
  });

  test("stop cuts no stream, and leaves no process and no file behind", async () => {
    let stopping: ReturnType<LocalCluster["headrace"]> | null = null;
    const streams = await Promise.all(
      [0, 1, 2].map((i) =>
        ask({ stream: true, max_tokens: 1_500, ignore_eos: true }, (chunks) => {
          if (i === 0 && chunks === 20) stopping = cluster.headrace(["stop", SERVICE, "-y"]);
        }),
      ),
    );
    for (const stream of streams) expect(stream).toMatchObject({ status: 200, whole: true, finishReason: "length" });
    const stopped = await (stopping as unknown as ReturnType<LocalCluster["headrace"]>);
    expect(stopped.code, stopped.output).toBe(0);
    await until(
      async () => (await cluster.view(SERVICE)).status === "stopped",
      () => "the service does not stop",
    );
    expect((await ask()).status).toBe(503);
    await until(
      () => cluster.leftOver().length === 0,
      () => cluster.leftOver().join("\n"),
    );
  });

  test("a stopped service can be deleted, and nothing of it is left", async () => {
    const deleted = await cluster.headrace(["delete", SERVICE, "-y"]);
    expect(deleted.code, deleted.output).toBe(0);
    expect(await cluster.client().services()).toEqual([]);
    expect((await cluster.headrace(["ps", SERVICE])).code).not.toBe(0);
  });
});
