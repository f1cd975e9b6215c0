import type { InstalledAgent } from "../../src/wire/index.ts";

/** As in src/install/run-script.ts. */
const STARTS_MAX = 3;

interface Trial {
  build: string;
  order: number;
  starts: number;
}

/**
 * The folder that an agent was installed in: which build is run there, as agents/host/update/installation.ts and the
 * script `run` have it on disk. Each change is one file, so whatever ends does so between two of them.
 */
export class Installation {
  /** The build of the agent that runs, or ran last. */
  running: string;
  /** Whether the control plane has noted since the trial began that it runs. */
  isShown = true;
  private build: string;
  private onTrial: Trial | null = null;
  private failure: InstalledAgent["failed"] = null;

  constructor(build: string) {
    this.build = build;
    this.running = build;
  }

  get trial(): Readonly<Trial> | null {
    return this.onTrial;
  }

  /** As it is reported. */
  get state(): InstalledAgent {
    return { build: this.running, failed: this.failure?.build === this.running ? null : this.failure };
  }

  /** The agent is started, whatever ended the last one. @returns the build that runs now */
  start(): string {
    const trial = this.onTrial;
    if (trial?.build === this.build) this.onTrial = null;
    else if (trial && trial.starts >= STARTS_MAX) this.goBack(`it ended ${trial.starts} times`);
    else if (trial) this.onTrial = { ...trial, starts: trial.starts + 1 };
    this.running = this.onTrial?.build ?? this.build;
    return this.running;
  }

  putOnTrial(build: string, order: number): void {
    this.onTrial = { build, order, starts: 0 };
    this.isShown = false;
  }

  /** A report of the build that runs was accepted. */
  confirm(): void {
    if (this.onTrial?.build !== this.running) return;
    this.build = this.running;
    this.onTrial = null;
    this.failure = null;
  }

  /** The build before is started next. */
  goBack(reason: string): void {
    if (!this.onTrial) return;
    const { build, order } = this.onTrial;
    this.fail(build, order, reason);
    this.onTrial = null;
  }

  fail(build: string, order: number, reason: string): void {
    this.failure = { build, order, reason };
  }
}
