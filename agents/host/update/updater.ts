import { setTimeout as sleep } from "node:timers/promises";
import type { AgentUpdate } from "../../../src/wire/index.ts";
import { type Log, reasonOf } from "../log.ts";
import { fetchBuild } from "./fetch-build.ts";
import type { Installation } from "./installation.ts";

/** A server that gives builds to many hosts asks some to come back, and a network fails for a moment. */
const TRIES = 3;
const BETWEEN_TRIES_MS = 20_000;

interface UpdaterParts {
  installation: Installation;
  /** Ends this agent; whatever keeps it up starts the build that is on trial. */
  end: () => void;
  /** There is something new to report. */
  changed: () => void;
  log: Log;
  /** Between two tries; only tests give another one. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Does what the control plane says about which build of the agent this host runs. */
export class Updater {
  readonly #parts: UpdaterParts;
  readonly #stop = new AbortController();
  /** The order that is under way; null = none was given to this agent. */
  #order: number | null = null;
  #work: Promise<void> = Promise.resolve();
  #isConfirmed = false;

  constructor(parts: UpdaterParts) {
    this.#parts = parts;
  }

  /** A report of this agent was accepted: if it was on trial, it stays. */
  async accepted(): Promise<void> {
    if (this.#isConfirmed) return;
    try {
      await this.#parts.installation.confirm();
      this.#isConfirmed = true;
    } catch (error) {
      this.#parts.log("error", "cannot keep that this build works", { error: reasonOf(error) });
    }
  }

  /** Answers repeat an order until it is carried out or has failed. One that has failed is not tried again. */
  told({ build, order, from }: AgentUpdate): void {
    const { installation, log } = this.#parts;
    const known = [this.#order, installation.state.failed?.order];
    if (build === installation.build || known.includes(order)) return;
    this.#order = order;
    log("info", "this agent is to be another build", { build, from: from ?? installation.from });
    this.#work = this.#work.then(() => this.#carryOut(build, order, from ?? installation.from));
  }

  /** Breaks off what is under way: after the next start the order comes again. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the agent ends"));
    await this.#work;
  }

  async #carryOut(build: string, order: number, from: string): Promise<void> {
    const { installation, end, changed, log } = this.#parts;
    try {
      await this.#fetch(build, from);
      if (this.#stop.signal.aborted) return;
      await installation.putOnTrial(build, order);
      log("info", "ends, so that another build takes over; jobs run on", { build });
      end();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const reason = reasonOf(error);
      log("error", "the other build cannot be had; this one goes on", { build, reason });
      await installation.fail({ build, order, reason }).catch((failure) => {
        log("error", "cannot keep why an update failed", { error: reasonOf(failure) });
      });
      changed();
    }
  }

  async #fetch(build: string, from: string): Promise<void> {
    const { installation, log } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      try {
        return await fetchBuild(installation, build, from, this.#stop.signal);
      } catch (error) {
        if (tries === TRIES || this.#stop.signal.aborted) throw error;
        log("warn", "the other build was not had; it is tried again", { build, reason: reasonOf(error) });
        await this.#pause();
      }
    }
  }

  #pause(): Promise<unknown> {
    const pause = this.#parts.sleep ?? ((ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }));
    return pause(BETWEEN_TRIES_MS, this.#stop.signal).catch(() => undefined);
  }
}
