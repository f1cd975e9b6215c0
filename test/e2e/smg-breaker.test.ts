import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Running, startEngine, startProcess, statusOf, until } from "../../agents/engine-sim/testing/processes.ts";
import { ensurePython } from "../../scripts/python.ts";
import { routerAdapter } from "../../src/adapters/index.ts";
import { freePorts } from "../support/ports.ts";

/**
 * The real SMG with one prefill and one decode, registered as the agent does. The decode stands behind a door, so that it
 * can be away for less than the two seconds at least that SMG's own health check needs to notice: what shuts it out then
 * is the circuit breaker, for a minute unless we say otherwise.
 */

const MODEL = "sim-model";
/** SMG tries each request five times, and opens the breaker at ten failures. */
const REQUESTS_LOST = 4;
/** Five times the time that the breaker is given, and a third of what it takes when it is given none. */
const BACK_MS_MAX = 20_000;
const ASK_MS = 100;

const router = routerAdapter("smg")!;
const folder = mkdtempSync(join(tmpdir(), "smg-breaker-"));
const processes: Running[] = [];
let smgUrl: string;
let door: Door;

beforeAll(async () => {
  const { bin } = await ensurePython();
  const ports = await freePorts(6);
  const [smg, metrics, prefill, bootstrap, decode, doorPort] = ports as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  smgUrl = `http://127.0.0.1:${smg}`;
  door = new Door(doorPort, decode);
  const ways = ["--host", "127.0.0.1", "--port", String(smg), "--prometheus-host", "127.0.0.1"];
  const flags = ["--pd-disaggregation", "--policy", "round_robin", ...ways, "--prometheus-port", String(metrics)];
  processes.push(startProcess(join(bin, "smg"), ["launch", ...flags]));
  const engine = (role: string, port: number, more: string[]) => {
    const simulation = ["--sim-profile", "tiny", "--sim-speed", "4"];
    const record = join(folder, `${role}.jsonl`);
    return startEngine(join(bin, "python"), port, ["--disaggregation-mode", role, ...more, ...simulation], record);
  };
  processes.push(engine("prefill", prefill, ["--disaggregation-bootstrap-port", String(bootstrap)]));
  processes.push(engine("decode", decode, []));
  await door.open();
  await until("the router listens", async () => (await statusOf(`${smgUrl}/health`)) === 200, processes);
  await add(`http://127.0.0.1:${prefill}`, "prefill", bootstrap);
  await add(`http://127.0.0.1:${doorPort}`, "decode", null);
  await until("the service serves", async () => (await chat()).status === 200, processes);
});

afterAll(async () => {
  for (const { process } of processes) process.kill("SIGKILL");
  await Promise.all(processes.map(({ ended }) => ended));
  await door?.close();
  rmSync(folder, { recursive: true, force: true });
});

it("sends to the only worker of a role again soon after it is back, however many requests failed meanwhile", async () => {
  await door.close();
  const lost = await Promise.all(Array.from({ length: REQUESTS_LOST }, chat));
  expect(lost.filter(({ status }) => status === 200)).toEqual([]);
  await door.open();
  const back = performance.now();
  for (;;) {
    const answer = await chat();
    if (answer.status === 200) return;
    expect(performance.now() - back, answer.body).toBeLessThan(BACK_MS_MAX);
    await delay(ASK_MS);
  }
}, 60_000);

async function add(url: string, role: "prefill" | "decode", bootstrapPort: number | null): Promise<void> {
  await until(`${url} is up`, async () => (await statusOf(`${url}/health`)) === 200, processes);
  const { method, path, body } = router.add({ url, role, bootstrapPort, labels: {} });
  await fetch(smgUrl + path, { method, body: body ?? null, headers: { "content-type": "application/json" } });
}

async function chat(): Promise<{ status: number; body: string }> {
  const answer = await fetch(`${smgUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hello" }], max_tokens: 4 }),
  });
  return { status: answer.status, body: await answer.text() };
}

/** Passes connections on to a port, or refuses them as the port of a process that died does. */
class Door {
  readonly #port: number;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(port: number, target: number) {
    this.#port = port;
    this.#target = target;
  }

  async open(): Promise<void> {
    this.#server = createServer((socket) => {
      const behind = connect(this.#target, "127.0.0.1");
      for (const [one, other] of [
        [socket, behind],
        [behind, socket],
      ] as const) {
        this.#sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    }).listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = once(server.close(), "close");
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
