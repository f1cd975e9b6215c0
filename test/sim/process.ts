import type { Role } from "../../src/spec/types.ts";
import type { DesiredJob, JobEnd } from "../../src/wire/index.ts";
import type { Machine } from "./machine.ts";
import { Smg } from "./smg.ts";
import type { World } from "./world.ts";

/** How long an engine loads before it serves; SMG is there at once. */
const LOAD_MS = { engine: 4_000, router: 300 };
/** An engine that was asked to end is gone after this, whatever it was doing. */
const ENGINE_END_MS = 400;

/** One run of a job: an engine, or a router. */
export class Process {
  readonly job: string;
  readonly service: string;
  readonly replica: string;
  readonly role: Role;
  readonly attempt: number;
  readonly incarnation: string;
  readonly startedAt: number;
  readonly port: number;
  readonly bootstrapPort: number | null;
  readonly accelerators: readonly number[];
  readonly ports: readonly number[];
  readonly machine: Machine;
  readonly smg: Smg | null;
  /** Requests that it works on. */
  readonly inFlight = new Set<number>();
  end: JobEnd | null = null;
  /** Loaded, and listening. */
  listens = false;
  /** Listens, but answers nothing. */
  hangs = false;
  /** Its probes fail although it serves. */
  isSick = false;
  /** Does not end when it is asked to. */
  isStubborn = false;
  termAt: number | null = null;

  constructor(world: World, machine: Machine, job: DesiredJob, attempt: number) {
    this.machine = machine;
    this.job = job.job;
    this.service = job.service;
    this.replica = job.replica;
    this.role = job.role;
    this.attempt = attempt;
    this.port = job.port;
    this.ports = job.ports;
    this.accelerators = job.accelerators;
    this.bootstrapPort = job.role === "prefill" ? (job.ports.find((port) => port !== job.port) ?? null) : null;
    this.startedAt = world.timeline.now;
    this.incarnation = `${machine.name}/${machine.boot}/${world.nextSerial()}`;
    this.smg = job.role === "router" ? new Smg(world, this) : null;
    const loadMs = LOAD_MS[job.role === "router" ? "router" : "engine"];
    machine.after(world.random.span(loadMs), () => {
      if (this.end === null && this.termAt === null) this.listens = true;
    });
  }

  /** Whether somebody who connects gets an answer. */
  get serves(): boolean {
    return this.listens && !this.hangs && this.end === null;
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.end !== null) return;
    if (signal === "SIGKILL") {
      this.finish({ exitCode: null, signal: "SIGKILL" });
      return;
    }
    if (this.termAt !== null) return;
    this.termAt = this.machine.world.timeline.now;
    if (this.isStubborn || this.hangs) return;
    if (this.smg) this.smg.terminate(() => this.finish({ exitCode: 0, signal: null }));
    else this.machine.after(ENGINE_END_MS, () => this.finish({ exitCode: 0, signal: null }));
  }

  /** What hung goes on; a signal that came meanwhile is taken in now. */
  wakeUp(): void {
    this.hangs = false;
    if (this.termAt !== null) this.kill();
  }

  /** It ends by itself, for a reason of its own. */
  crash(): void {
    this.finish({ exitCode: 1, signal: null });
  }

  kill(): void {
    this.finish({ exitCode: null, signal: "SIGKILL" });
  }

  /** It is gone with its machine: nobody is told. */
  vanish(): void {
    this.end ??= { exitCode: null, signal: null, outOfMemory: false, tail: "" };
    this.listens = false;
    this.inFlight.clear();
  }

  private finish(how: Pick<JobEnd, "exitCode" | "signal">): void {
    if (this.end !== null) return;
    this.vanish();
    this.end = { ...how, outOfMemory: false, tail: "" };
    this.machine.ended(this, this.end);
  }
}
