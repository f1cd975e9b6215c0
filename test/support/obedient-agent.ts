import { createHash } from "node:crypto";
import { dialLink } from "../../agents/host/dial.ts";
import { wholeOf } from "../../src/link/flows.ts";
import type { Link } from "../../src/link/link.ts";
import { type DesiredJob, desiredState, type Report, syncAnswer } from "../../src/wire/index.ts";
import { plainInventory } from "./inventories.ts";
import { jobReportOf, reportOf, routerReportOf } from "./reports.ts";

/** A machine with room for what tests apply, and nothing that depends on the one they run on. */
export const INVENTORY = plainInventory();

/** More than any answer to a sync of these tests has. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** A sync that is not answered by then fails. */
const SYNC_MS_MAX = 20_000;

/** A server answered with an older state than the agent holds. */
export class WentBack extends Error {
  override name = "WentBack";
}

/** What an agent remembers from one link to the next. */
interface Memory {
  version: number;
  hash: string;
  jobs: DesiredJob[];
  /** Jobs that were stopped, and are reported so while they are still desired. */
  ended: string[];
  seq: number;
}

/**
 * An agent over a real link that starts, stops and lists at once whatever it is told, without a process: it syncs when a
 * test says so, and nothing that it does takes time.
 */
export class ObedientAgent {
  readonly host: string;
  readonly credential: string;
  private readonly machine: string;
  private readonly memory: Memory;
  private link: Link | null = null;

  constructor(host: string, credential: string, machine: string, memory?: Memory) {
    this.host = host;
    this.credential = credential;
    this.machine = machine;
    this.memory = memory ?? { version: 0, hash: "", jobs: [], ended: [], seq: 0 };
  }

  /** Another agent that remembers what this one does. */
  clone(): ObedientAgent {
    return new ObedientAgent(this.host, this.credential, this.machine, structuredClone(this.memory));
  }

  static hashOf(credential: string): string {
    return createHash("sha256").update(credential).digest("hex");
  }

  get version(): number {
    return this.memory.version;
  }

  get jobs(): readonly DesiredJob[] {
    return this.memory.jobs;
  }

  get isLinked(): boolean {
    return this.link !== null;
  }

  async connect(url: string): Promise<void> {
    this.close();
    const { link } = await dialLink(
      url,
      this.credential,
      async () => ({ head: { status: 204, headers: [] }, body: null }),
      () => {},
    );
    this.link = link;
  }

  close(): void {
    this.link?.close("the test is done with it");
    this.link = null;
  }

  /**
   * Reports, and takes over what it is told. Two of these make a change and report it.
   * @throws WentBack
   * @throws Error when there is no link or the server refuses
   */
  async sync(): Promise<void> {
    if (!this.link) throw new Error("there is no link");
    const body = new TextEncoder().encode(this.nextReport());
    const answer = await this.link.request({ kind: "sync" }, body, AbortSignal.timeout(SYNC_MS_MAX));
    this.take(answer.head.status, new TextDecoder().decode(await wholeOf(answer.body, ANSWER_BYTES_MAX)));
  }

  /** The same by a request of its own, as from a network that lets no link through. */
  async post(url: string): Promise<void> {
    const answer = await fetch(`${url}/agent/sync`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.credential}`, "content-type": "application/json" },
      body: this.nextReport(),
      signal: AbortSignal.timeout(SYNC_MS_MAX),
    });
    this.take(answer.status, await answer.text());
  }

  private nextReport(): string {
    this.memory.seq += 1;
    return JSON.stringify(this.report());
  }

  private take(status: number, text: string): void {
    const { memory } = this;
    if (status !== 200) throw new Error(`a sync was answered ${status}: ${text}`);
    const { version, hash, desired } = syncAnswer.parse(JSON.parse(text));
    if (version < memory.version) throw new WentBack(`the server went back from ${memory.version} to ${version}`);
    memory.version = version;
    memory.hash = hash;
    if (desired !== null) memory.jobs = desiredState.parse(desired).jobs;
    for (const job of memory.jobs) {
      const isOver = job.phase.kind === "stop" || job.phase.kind === "quiesce";
      if (isOver && !memory.ended.includes(job.job)) memory.ended.push(job.job);
    }
    memory.ended = memory.ended.filter((id) => memory.jobs.some((job) => job.job === id));
  }

  private report(): Report {
    const { memory } = this;
    const ended = (job: DesiredJob) => memory.ended.includes(job.job);
    return reportOf({
      agent: { version: "0", bootId: "b", machine: this.machine, incarnation: this.credential.slice(-8) },
      seq: memory.seq,
      applied: { version: memory.version, hash: memory.hash },
      inventory: INVENTORY,
      jobs: memory.jobs.map((job) => jobReportOf(job, ended(job) ? { state: "ended" } : {})),
      routers: memory.jobs
        .filter((job) => job.role === "router")
        .map((job) =>
          routerReportOf(
            job,
            job.workers.map(({ replica }) => replica),
            memory.version,
          ),
        ),
    });
  }
}
