import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { PortWatch } from "./port-watch.ts";

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

/** A server of this process. */
async function listen(host = "127.0.0.1", on = 0): Promise<{ port: number; close: () => Promise<unknown> }> {
  const server = createServer().listen(on, host);
  await once(server, "listening");
  const close = () => {
    const closed = server.listening ? once(server, "close") : Promise.resolve();
    server.close();
    return closed;
  };
  opened.push({ [Symbol.asyncDispose]: async () => void (await close()) });
  return { port: (server.address() as AddressInfo).port, close };
}

/** A server of another process. */
async function listenElsewhere(on = 0): Promise<{ port: number; pid: number }> {
  const script = `const s = require('node:net').createServer().listen(${on}, () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  opened.push({
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(line.toString()), pid: child.pid ?? 0 };
}

/** Who has a port, as it is found out for the first time. */
const holderOf = (port: number, members: number[] | null) =>
  new PortWatch(() => undefined).holderOf(port, async () => members);

it("tells a port of the job's own processes from a stranger's, whom it names, and from nobody's", async () => {
  const own = await listen();
  const other = await listenElsewhere();
  const members = [process.pid];
  expect(await holderOf(own.port, members)).toEqual({ kind: "job" });
  expect(await holderOf(other.port, [...members, other.pid])).toEqual({ kind: "job" });
  const stranger = await holderOf(other.port, members);
  expect(stranger).toEqual({ kind: "stranger", name: expect.stringMatching(`^process ${other.pid} \\(\\S+\\)$`) });
  await own.close();
  expect(await holderOf(own.port, members)).toEqual({ kind: "nobody" });
});

it("finds the one that listens for IPv6 alone", async () => {
  const own = await listen("::1");
  expect(await holderOf(own.port, [process.pid])).toEqual({ kind: "job" });
});

it("says nothing against a job whose processes cannot be known, nor counts those that have ended", async () => {
  const own = await listen();
  expect(await holderOf(own.port, null)).toEqual({ kind: "unknown" });
  // Larger than any pid.
  expect(await holderOf(own.port, [2 ** 30, process.pid])).toEqual({ kind: "job" });
});

it("lets no job start while somebody else has one of its ports, and tells it as busy until it is free", async () => {
  const other = await listenElsewhere();
  const free = await listen();
  await free.close();
  let changes = 0;
  const watch = new PortWatch(() => {
    changes += 1;
  });
  const wanted = [free.port, other.port];
  await expect(watch.assertFree(wanted)).rejects.toThrow(
    `port ${other.port} of this host is held by process ${other.pid} (`,
  );
  await expect(watch.assertFree(wanted)).rejects.toThrow(/, which is not of this job: end it, or give the service/);
  expect(watch.own(wanted)).toEqual([free.port]);
  await opened.shift()?.[Symbol.asyncDispose]();
  await watch.assertFree(wanted);
  expect(watch.own(wanted)).toEqual(wanted);
  expect(changes).toBe(2);
});

it("takes a port for the job's own again once the job has it", async () => {
  const { port } = await listen();
  const watch = new PortWatch(() => undefined);
  await expect(watch.assertFree([port])).rejects.toThrow(`process ${process.pid} (`);
  expect(await watch.holderOf(port, async () => [process.pid])).toEqual({ kind: "job" });
  expect(watch.own([port])).toEqual([port]);
});

it("looks into the files of a job's processes once, and again when the port is another socket's", async () => {
  const own = await listen();
  const watch = new PortWatch(() => undefined);
  let looks = 0;
  const holder = () =>
    watch.holderOf(own.port, async () => {
      looks += 1;
      return [process.pid];
    });
  expect(await Promise.all([holder(), holder()])).toEqual([{ kind: "job" }, { kind: "job" }]);
  looks = 0;
  expect(await holder()).toEqual({ kind: "job" });
  expect(looks).toBe(0);
  await own.close();
  expect(await holder()).toEqual({ kind: "nobody" });
  const stranger = await listenElsewhere(own.port);
  expect(await holder()).toEqual({ kind: "stranger", name: expect.stringContaining(`process ${stranger.pid} (`) });
  expect(watch.own([own.port])).toEqual([]);
  await opened.pop()?.[Symbol.asyncDispose]();
  const again = await listen("127.0.0.1", own.port);
  expect(await holder()).toEqual({ kind: "job" });
  expect(watch.own([again.port])).toEqual([again.port]);
  expect(looks).toBe(2);
});
