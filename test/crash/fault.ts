import { Worker } from "node:worker_threads";
import type { Store } from "../../src/store/types.ts";

/**
 * Where a process ends itself, or is stopped, around one of its writes:
 * - `before`: the write was decided and never reached the database
 * - `inside`: from another thread, while SQLite is at work on it
 * - `applied`: it is in the database, and the server never hears of it
 * - `after`: the server heard of it, and may or may not have told anybody
 */
export type Point = "before" | "inside" | "applied" | "after";

/** @param write which one, counted from 1 from the moment at which the fault was set */
export interface Fault {
  write: number;
  point: Point;
  /** For `inside`: microseconds from the beginning of the write. A commit takes some hundreds. */
  delayUs: number;
  /** SIGKILL, or SIGSTOP for a process that goes on later. */
  signal: "SIGKILL" | "SIGSTOP";
}

const WRITES = ["createProject", "commit", "putCredential", "redeemJoin", "deleteCredential", "putFile"] as const;

/** A store whose process is hit by the fault that was last `set`. */
export class FaultyStore {
  private fault: Fault | null = null;
  /** Begun since the fault was set. */
  writes = 0;
  private thread: SignalThread | null = null;

  /** Counts from here. */
  async set(fault: Fault | null): Promise<void> {
    this.writes = 0;
    this.fault = fault;
    if (fault?.point === "inside") this.thread = await SignalThread.start(fault.delayUs, fault.signal);
  }

  around(store: Store): Store {
    const faulty = { ...store };
    for (const name of WRITES) {
      const write = store[name] as (...args: unknown[]) => Promise<unknown>;
      Object.assign(faulty, { [name]: (...args: unknown[]) => this.write(() => write(...args)) });
    }
    return faulty;
  }

  private async write(write: () => Promise<unknown>): Promise<unknown> {
    this.writes += 1;
    const { fault } = this;
    if (fault?.write !== this.writes) return write();
    const hit = () => process.kill(process.pid, fault.signal);
    if (fault.point === "before") hit();
    if (fault.point === "inside") this.thread?.go();
    const done = await write();
    if (fault.point === "applied") hit();
    // A thread that came too late for the write itself hits here all the same.
    if (fault.point === "inside") this.thread?.wait();
    if (fault.point === "after") setImmediate(hit);
    return done;
  }
}

/** Sends this process a signal at a moment at which its own thread is busy in SQLite. */
class SignalThread {
  /** 0 until the write begins, 1 until the signal was sent, then 2. */
  private readonly phase = new Int32Array(new SharedArrayBuffer(4));

  static async start(delayUs: number, signal: NodeJS.Signals): Promise<SignalThread> {
    const thread = new SignalThread();
    const worker = new Worker(
      `const { parentPort, workerData: { phase, delayUs, signal } } = require("node:worker_threads");
       parentPort.postMessage("waits");
       Atomics.wait(phase, 0, 0);
       const end = performance.now() + delayUs / 1000;
       while (performance.now() < end);
       process.kill(process.pid, signal);
       Atomics.store(phase, 0, 2);
       Atomics.notify(phase, 0);`,
      { eval: true, workerData: { phase: thread.phase, delayUs, signal } },
    );
    worker.unref();
    await new Promise((resolve) => worker.once("message", resolve));
    return thread;
  }

  go(): void {
    Atomics.store(this.phase, 0, 1);
    Atomics.notify(this.phase, 0);
  }

  /** Blocks until the signal was sent. */
  wait(): void {
    Atomics.wait(this.phase, 0, 1);
  }
}
