import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../../test/support/ports.ts";
import { type RunningEngine, startEngine, until } from "./processes.ts";
import { type Exposition, parseExposition } from "./strict-exposition.ts";

/** A prefill, with where decodes meet it. */
export interface RunningPrefill extends RunningEngine {
  bootstrapPort: number;
}

/** Starts engines for the tests of one file, and ends those that are left. */
export class Engines {
  private readonly folder = mkdtempSync(join(tmpdir(), "engine-sim-"));
  private readonly started: RunningEngine[] = [];

  async start(...flags: string[]): Promise<RunningEngine> {
    const [port] = (await freePorts(1)) as [number];
    return this.startOn(port, ...flags);
  }

  startOn(port: number, ...flags: string[]): RunningEngine {
    const engine = startEngine("python3", port, flags, join(this.folder, `${port}.jsonl`));
    this.started.push(engine);
    return engine;
  }

  async startUp(...flags: string[]): Promise<RunningEngine> {
    const engine = await this.start(...flags);
    await isUp(engine);
    return engine;
  }

  /** A prefill and a decode that are up. */
  async startPair(flags: { both?: string[]; prefill?: string[]; decode?: string[] }) {
    const [port, bootstrapPort] = (await freePorts(2)) as [number, number];
    const { both = [], prefill: ofPrefill = [], decode: ofDecode = [] } = flags;
    const role = ["--disaggregation-bootstrap-port", String(bootstrapPort), "--disaggregation-mode"];
    const started = this.startOn(port, ...role, "prefill", ...both, ...ofPrefill);
    const decode = await this.start("--disaggregation-mode", "decode", ...both, ...ofDecode);
    await Promise.all([isUp(started), isUp(decode)]);
    const prefill: RunningPrefill = { ...started, bootstrapPort };
    return { prefill, decode };
  }

  /** Ends what was started since the last time. */
  async stop(): Promise<void> {
    for (const engine of this.started.splice(0)) {
      engine.process.kill("SIGKILL");
      await engine.ended;
    }
  }

  async clear(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function isUp(engine: RunningEngine): Promise<void> {
  await until("it is up", () => engine.output().includes("ready to roll"), [engine]);
}

/** Rooms as a router draws them: above what a double can hold. */
let rooms = 6_280_667_732_205_302_000n;

/** The next request's room. Those of a request with several answers follow each other, hence the step. */
export function nextRoom(): bigint {
  rooms += 10n;
  return rooms;
}

export function post(engine: RunningEngine, body: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${engine.url}/v1/completions`, { method: "POST", body, ...(signal ? { signal } : {}) });
}

/** A body as a router sends it to both; the room's digits must not pass through a number. */
export function bodyFor(bootstrapPort: number, room: bigint, body: Record<string, unknown> = {}): string {
  const all = { prompt: "hello", max_tokens: 8, ignore_eos: true, bootstrap_host: "127.0.0.1", ...body };
  return JSON.stringify({ ...all, bootstrap_port: bootstrapPort }).replace(/}$/, `,"bootstrap_room":${room}}`);
}

/** Counters of `/v1/loads`, of its first rank. */
export async function counters(engine: RunningEngine): Promise<Record<string, number>> {
  const answer = await fetch(`${engine.url}/v1/loads?include=core,disagg,queues`);
  const { loads } = (await answer.json()) as {
    loads: [{ disaggregation: Record<string, number>; [name: string]: unknown }];
  };
  const [{ disaggregation, ...core }] = loads;
  const { num_running_reqs: running, num_waiting_reqs: waiting, num_used_tokens: used } = core;
  return { ...disaggregation, ...({ running, waiting, used } as Record<string, number>) };
}

/** Waits until no counter says that anything is left. */
export async function untilNothingLeft(engine: RunningEngine): Promise<void> {
  const left = async () =>
    Object.values(await counters(engine)).filter((value) => typeof value === "number" && value > 0);
  await until("nothing is left", async () => (await left()).length === 0, [engine]);
}

/** What `/metrics` says, read without forgiveness. */
export async function scrape(engine: RunningEngine): Promise<Exposition> {
  return parseExposition(await (await fetch(`${engine.url}/metrics`)).text());
}
