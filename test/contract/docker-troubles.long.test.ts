import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { agentName, readLabels, wantedLabels } from "../../agents/host/runtime/docker/container-names.ts";
import { containerBody } from "../../agents/host/runtime/docker/container-spec.ts";
import { type DockerRuntimeOptions, openDockerRuntime } from "../../agents/host/runtime/docker/docker-runtime.ts";
import { Engine } from "../../agents/host/runtime/docker/engine.ts";
import { readJobLog } from "../../agents/host/runtime/docker/job-log.ts";
import type { Runtime, StartSpec } from "../../agents/host/runtime/types.ts";
import { Dockerd } from "../support/dockerd.ts";
import { PLAIN_HOST } from "../support/fake-hosts.ts";
import { Registry } from "../support/registry.ts";
import { dockerLaunch, importImage, NO_SHELL_IMAGE, SMALL_IMAGE } from "./docker-runtime/launch.ts";
import { find, followed, spec, texts, until, untilEnded } from "./runtime-help.ts";

let dockerd: Dockerd;
let registry: Registry;
let dataDir = "";
let runtime: Runtime;
const opened: Runtime[] = [];

/** An image that only the registry has. */
const remote = (tag = "1") => `${registry.host}/test/remote:${tag}`;

beforeAll(async () => {
  [dockerd, registry] = await Promise.all([Dockerd.start(), Registry.start()]);
  await importImage(dockerd, SMALL_IMAGE, { shell: true });
  await importImage(dockerd, NO_SHELL_IMAGE, { shell: false });
  await importImage(dockerd, remote(), { shell: true });
  await dockerd.push(remote(), registry.auth);
});

afterAll(async () => {
  await dockerd?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  dataDir = realpathSync(mkdtempSync(join(tmpdir(), "headrace-docker-")));
  runtime = await open();
});

afterEach(async () => {
  for (const { job } of await runtime.list()) await runtime.remove(job);
  for (const one of opened.splice(0)) await one.close();
  expect(await dockerd.containers()).toEqual([]);
  rmSync(dataDir, { recursive: true });
});

async function open(more: Partial<DockerRuntimeOptions> = {}): Promise<Runtime> {
  const body = async (started: StartSpec) => containerBody(started, PLAIN_HOST);
  const one = await openDockerRuntime({ dataDir, socket: dockerd.socket, expected: true, body, ...more });
  opened.push(one);
  return one;
}

function job(script: string, container: Parameters<typeof dockerLaunch>[1] = {}, attempt = 1): StartSpec {
  const plain = spec("a", script, {}, attempt);
  return { ...plain, launch: { ...plain.launch, ...dockerLaunch(dataDir, container) } };
}

/** Why a job could not be started, with what differs from run to run taken out. */
async function refusal(started: StartSpec): Promise<string> {
  const error = await runtime.start(started).then(
    () => new Error("it was started"),
    (reason: Error) => reason,
  );
  expect(await runtime.list()).toEqual([]);
  return error.message
    .replaceAll(registry.host, "REGISTRY")
    .replaceAll(dataDir, "DATA")
    .replace(/ \(the Docker.*/s, "");
}

/** That of the disk depends on the machine. */
const troubles = (of: Runtime) => of.warnings.filter((warning) => !warning.includes("the disk of the Docker engine"));

const container = async () => (await dockerd.containers())[0]!.Id;

describe("an image", () => {
  test("that the registry does not have", async () => {
    expect(await refusal(job("true", { image: remote("none"), registryAuth: registry.auth }))).toBe(
      "the image REGISTRY/test/remote:none cannot be pulled: REGISTRY has no such image; " + "look at its name and tag",
    );
  });

  test("for which the password is wrong, or none is given", async () => {
    const wrong = { username: "puller", password: "wrong" };
    expect(await refusal(job("true", { image: remote(), registryAuth: wrong }))).toBe(
      "the image REGISTRY/test/remote:1 cannot be pulled: REGISTRY does not accept the user name " +
        "and password in registry_auth, or they may not read this image",
    );
    expect(await refusal(job("true", { image: remote() }))).toBe(
      "the image REGISTRY/test/remote:1 cannot be pulled: REGISTRY wants to know who asks, or has " +
        "no such image; give registry_auth, and look at the name",
    );
  });

  test("whose registry is not there, or whose name is none", async () => {
    expect(await refusal(job("true", { image: "127.0.0.1:1/test/x:1" }))).toBe(
      "the image 127.0.0.1:1/test/x:1 cannot be pulled: 127.0.0.1:1 cannot be reached from this host",
    );
    expect(await refusal(job("true", { image: "Test/UPPER:1" }))).toBe(
      "the image Test/UPPER:1 cannot be pulled: this is not the name of an image",
    );
  });

  test("that is pulled says how it goes, runs, and is removed again when nothing uses it and there is too much", async () => {
    const said: string[] = [];
    const watch = { signal: new AbortController().signal, progress: (text: string) => said.push(text) };
    const image = remote();
    await runtime.start(job("echo here", { image, registryAuth: registry.auth }), watch);
    expect(said[0]).toBe(`pulls the image ${image}`);
    expect(said.at(-1)).toMatch(/^pulls the image .*: \d of 1 layers, [\d.]+ (kB|MB) fetched$/);
    await untilEnded(runtime, "a");
    expect(await texts(runtime, "a")).toEqual(["here"]);

    // Kept for the next time.
    await runtime.remove("a");
    await runtime.close();
    expect(await dockerd.hasImage(image)).toBe(true);
    runtime = await open({ unusedImageBytesMax: 0 });
    await runtime.close();
    expect(await dockerd.hasImage(image)).toBe(false);
    // What somebody else brought stays.
    expect(await dockerd.hasImage(SMALL_IMAGE)).toBe(true);
    runtime = await open();
  });

  test("of an ended job is not removed before the job is", async () => {
    await runtime.close();
    runtime = await open({ unusedImageBytesMax: 0 });
    await runtime.start(job("true", { image: remote(), registryAuth: registry.auth }));
    await untilEnded(runtime, "a");
    const again = await open({ unusedImageBytesMax: 0 });
    await again.close();
    expect(await dockerd.hasImage(remote())).toBe(true);
    await runtime.remove("a");
    await until("it is removed", async () => !(await dockerd.hasImage(remote())));
  });

  test("that takes for ever is given up when its job is not wanted any more", async () => {
    let asked = () => {};
    const waits = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const mute = createServer(() => asked()).listen(0, "127.0.0.1");
    await until("it listens", () => mute.listening);
    const image = `127.0.0.1:${(mute.address() as AddressInfo).port}/test/x:1`;
    const giveUp = new AbortController();
    const started = runtime.start(job("true", { image }), { signal: giveUp.signal, progress: () => {} });
    await waits;
    giveUp.abort(new Error("it is not wanted any more"));
    await expect(started).rejects.toThrow("it is not wanted any more");
    expect(await runtime.list()).toEqual([]);
    expect(readdirSync(join(dataDir, "containers"))).toEqual([]);
    mute.closeAllConnections();
    mute.close();
  });

  test("without a shell", async () => {
    expect(await refusal(job("true", { image: NO_SHELL_IMAGE }))).toBe(
      'the shell "bash" is not in the image test/no-shell:1; name one that it has with `shell`, ' +
        "or take another image",
    );
    const command = { kind: "argv" as const, argv: ["/bin/echo", "no shell needed"] };
    await runtime.start(job("true", { image: NO_SHELL_IMAGE, command }));
    await untilEnded(runtime, "a");
    expect(await texts(runtime, "a")).toEqual(["no shell needed"]);
  });
});

describe("a container", () => {
  test("that was killed, or removed, from outside", async () => {
    await runtime.start(job("exec sleep 600"));
    await dockerd.call("POST", `/containers/${await container()}/kill`);
    expect((await untilEnded(runtime, "a")).end).toMatchObject({
      exitCode: null,
      signal: "SIGKILL",
      outOfMemory: false,
    });
    // An agent that was not there when it happened says the same.
    expect((await find(await open(), "a")).end).toMatchObject({ exitCode: null, signal: "SIGKILL" });
    await runtime.start(job("exec sleep 600", {}, 2));
    for (const { Id } of await dockerd.containers()) await dockerd.call("DELETE", `/containers/${Id}?force=1`);
    expect(await runtime.list()).toEqual([]);
  });

  test("that ran out of memory is told from one that crashed", async () => {
    const body = async (started: StartSpec) => {
      const whole = containerBody(started, PLAIN_HOST);
      return { ...whole, HostConfig: { ...whole.HostConfig, Memory: 32e6, MemorySwap: 32e6 } };
    };
    const small = await open({ body });
    await small.start(job("tail /dev/zero"));
    expect((await untilEnded(small, "a")).end).toMatchObject({ exitCode: 137, outOfMemory: true });
    await small.start(job("exit 137", {}, 2));
    expect((await untilEnded(small, "a")).end).toMatchObject({ exitCode: 137, outOfMemory: false });
  });

  test("whose volume has no source on this host", async () => {
    const volumes = [{ source: "/no/such/folder", target: "/models", optional: false }];
    expect(await refusal(job("true", { volumes }))).toMatch(
      /this host has no \/no\/such\/folder, which a volume asks for/,
    );
  });

  test("whose user the image does not have", async () => {
    expect(await refusal(job("true", { user: "nobody-here" }))).toMatch(/has no user nobody-here$/);
  });

  test("runs without a limit that the engine may not raise, and the host says so", async () => {
    const body = async (started: StartSpec) => {
      const whole = containerBody(started, PLAIN_HOST);
      const Ulimits = [{ Name: "memlock", Soft: -1, Hard: -1 }];
      return { ...whole, HostConfig: { ...whole.HostConfig, Ulimits } };
    };
    const raised = await open({ body });
    await raised.start(job("ulimit -l"));
    expect((await untilEnded(raised, "a")).end?.exitCode).toBe(0);
    const [limit] = await texts(raised, "a");
    // A machine whose root has every capability raises it.
    const warned = raised.warnings.filter((warning) => warning.includes("may not raise the limit memlock"));
    expect(warned).toHaveLength(limit === "unlimited" ? 0 : 1);
  });

  test("finds its files before its commands start, at every attempt, also when they cannot be fetched again", async () => {
    writeFileSync(join(dataDir, "app.txt"), "app");
    const archive = create({ cwd: dataDir, sync: true, portable: true }, ["app.txt"]).read() as Buffer;
    let fetched = 0;
    const fetch = async () => {
      fetched++;
      if (fetched > 3) throw new Error("the control plane is away");
      return archive;
    };
    const files = ["deep/er/app.txt", "~/app.txt", "/srv/app.txt"].map((path) => ({ path, fetch }));
    const script = "cat deep/er/app.txt /root/app.txt /srv/app.txt";
    for (const attempt of [1, 2]) {
      const started = job(script, {}, attempt);
      await runtime.start({ ...started, launch: { ...started.launch, workingDir: "/work" }, files });
      expect((await untilEnded(runtime, "a")).end).toMatchObject({ exitCode: 0, tail: "appappapp" });
    }
    expect(fetched).toBe(3);
  });

  test("writes a line of any length, which is put together and cut", async () => {
    await runtime.start(job("head -c 40000 /dev/zero | tr '\\0' x; echo; echo after"));
    await untilEnded(runtime, "a");
    const [long, after] = await texts(runtime, "a");
    expect(long).toMatch(/^x{16384} \[line cut\]$/);
    expect(after).toBe("after");
  });

  test("of the attempt before is kept for its log, and older ones are removed", async () => {
    for (const attempt of [1, 2, 3]) {
      await runtime.start(job(`echo attempt ${attempt}`, {}, attempt));
      await untilEnded(runtime, "a");
    }
    expect(await texts(runtime, "a")).toEqual(["attempt 2", "attempt 3"]);
    // What the shell itself says is not counted, wherever among the lines the engine has put it.
    expect(await texts(runtime, "a", 2)).toEqual(["attempt 2", "attempt 3"]);
    expect(await texts(runtime, "a", 1)).toEqual(["attempt 3"]);
    expect(await dockerd.containers()).toHaveLength(2);
  });
});

/** Tells when a container was looked at that was not started yet. */
class WatchedEngine extends Engine {
  seenBeforeStart = 0;

  override async inspect(id: string) {
    const found = await super.inspect(id);
    if (found?.State.Status === "created") this.seenBeforeStart++;
    return found;
  }
}

test("a log is followed into an attempt that was not started yet when it was found", async () => {
  const engine = new WatchedEngine(dockerd.socket);
  const attempts = async () => {
    const found = await engine.list(wantedLabels(agentName(dataDir), "a"));
    return found.map((container) => readLabels(container)!).sort((one, other) => one.attempt - other.attempt);
  };
  await runtime.start(job("echo one"));
  await untilEnded(runtime, "a");
  const abort = new AbortController();
  let said = "";
  const following = (async () => {
    for await (const line of readJobLog({ engine, attempts }, { tailLines: 2, follow: true }, abort.signal))
      said += line;
  })();
  await until("the first attempt is read", () => said.includes('"one"'));
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const archive = create({ cwd: dataDir, sync: true, portable: true }, ["containers"]).read() as Buffer;
  const files = [{ path: "/srv/held", fetch: () => held.then(() => archive) }];
  const started = runtime.start({ ...job("echo two; sleep 600", {}, 2), files });
  await until("the second attempt is looked at before it is started", () => engine.seenBeforeStart > 0);
  release();
  await started;
  await until("the second attempt is read", () => said.includes('"two"'));
  await runtime.remove("a");
  await following;
});

describe("an engine", () => {
  test("that stops and starts again leaves its containers running, and nothing is concluded meanwhile", async () => {
    const script = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
    await runtime.start(job(script));
    await until("it counts", async () => (await texts(runtime, "a")).length > 0);
    const before = await find(runtime, "a");
    const lines = followed(runtime, "a", { tailLines: 10_000 });
    expect(await lines.next()).toMatchObject({ text: "1" });

    await dockerd.end();
    await until("it is missed", () => !runtime.usable);
    expect(await find(runtime, "a")).toMatchObject({ state: "running", incarnation: before.incarnation });
    expect(troubles(runtime)).toEqual([expect.stringMatching(/^no container can be started or stopped: /)]);
    await expect(runtime.start({ ...job("true"), job: "b" })).rejects.toThrow(
      `there is no Docker engine at ${dockerd.socket}; start it (\`systemctl start docker\`)`,
    );
    // One that never saw the job knows that there is one, and does not say that there is none.
    const other = await open();
    await expect(other.list()).rejects.toThrow(/no Docker engine/);

    const changed = new Promise<void>((resolve) => runtime.onChange(resolve));
    await dockerd.begin();
    await changed;
    await until("it is found again", () => runtime.usable && other.usable);
    expect(troubles(runtime)).toEqual([]);
    expect(await find(runtime, "a")).toMatchObject({ state: "running", incarnation: before.incarnation });
    expect(await find(other, "a")).toMatchObject({ state: "running", incarnation: before.incarnation });
    // Whoever follows the log missed nothing and saw nothing twice.
    const counted = Number((await texts(runtime, "a", 1))[0]);
    for (let expected = 2; expected <= counted; expected++) {
      expect(await lines.next()).toMatchObject({ text: String(expected) });
    }
    await runtime.remove("a");
    await until("the log ends", async () => (await lines.next()) === null);
  });

  test("that is not there is no matter where nobody said that there is one", async () => {
    const socket = join(dataDir, "none.sock");
    const without = await open({ socket, expected: false });
    expect(await without.list()).toEqual([]);
    expect([without.usable, without.warnings]).toEqual([false, []]);
    const expected = await open({ socket, expected: true });
    expect(expected.warnings).toEqual([
      `no container can be started or stopped: there is no Docker engine at ${socket}; start it ` +
        "(`systemctl start docker`) or name its socket with --docker-socket",
    ]);
  });
});
