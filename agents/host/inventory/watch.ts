import { readFile } from "node:fs/promises";
import { PROBLEM_CHARS_MAX, PROBLEMS_MAX } from "../../../src/wire/index.ts";
import { writePrivateFile } from "../files.ts";
import { type Log, reasonOf } from "../log.ts";
import { sameJson } from "../same-json.ts";
import { describeHardware, type HardwareReport } from "./describe.ts";
import { findHardware, type Hardware, readHardware } from "./hardware.ts";
import { type HealthMemory, knownParts, NOTHING_KNOWN, weigh } from "./health.ts";
import type { Trees } from "./tree.ts";

/** How often links, errors and temperatures are read: cheap but for `nvidia-smi`, which takes a tenth of a second. */
const READING_MS = 60_000;

/** How often it is looked for what the machine has, which reads a few thousand files. */
const FINDING_MS = 5 * 60_000;

/** Two calls of a tool that is given up after 30 s, and then some. What takes longer hangs in a driver. */
const TURN_MS_MAX = 90_000;

export interface WatchParts {
  trees: Trees;
  /** The program `nvidia-smi`; null: not to be asked. */
  nvidiaSmi: string | null;
  /** Where what is remembered is kept, so that an agent that starts again misses what was there; null: nowhere. */
  file: string | null;
  bootId: string;
  log: Log;
}

/**
 * Looks after the accelerators and NICs of the machine, and keeps what a report says of them. Nothing is read because a
 * report is due.
 */
export class HardwareWatch {
  readonly #parts: WatchParts;
  #memory: HealthMemory | null = null;
  #found: { hardware: Hardware; at: number } | null = null;
  #report: HardwareReport | null = null;
  /** The turn that is under way. */
  #turn: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #changed: () => void = () => undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** What was read last; the first time it is read now. */
  async current(): Promise<HardwareReport> {
    if (this.#report === null) await this.read();
    return this.#report ?? NOTHING_FOUND;
  }

  /** Reads from now on, and tells when something is another than before. */
  start(changed: () => void): void {
    this.#changed = changed;
    this.#timer ??= setInterval(() => void this.read(), READING_MS);
    this.#timer.unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Takes a turn, or waits for the one that is under way. One that hangs is a problem of its own, and is told. */
  async read(): Promise<void> {
    this.#turn ??= this.#takeTurn().finally(() => {
      this.#turn = null;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, TURN_MS_MAX, "late");
      timer.unref();
    });
    const outcome = await Promise.race([this.#turn, late]);
    clearTimeout(timer);
    if (outcome !== "late") return;
    const known = this.#report ?? NOTHING_FOUND;
    const others = known.problems.filter(({ code }) => code !== STUCK.code);
    this.#tell({ ...known, problems: [...others, STUCK] });
  }

  async #takeTurn(): Promise<void> {
    const { trees, nvidiaSmi, log } = this.#parts;
    try {
      const before = this.#memory ?? (await this.#load());
      if (this.#found === null || performance.now() - this.#found.at > FINDING_MS) {
        this.#found = { hardware: await findHardware(trees, nvidiaSmi), at: performance.now() };
      }
      const { hardware } = this.#found;
      const readings = await readHardware(trees, nvidiaSmi, knownParts(before, hardware));
      this.#memory = weigh(before, hardware, readings);
      this.#tell(bounded(describeHardware(hardware, readings, this.#memory)));
      if (!sameJson(this.#memory, before)) await this.#save(this.#memory);
    } catch (error) {
      // Nothing here is worth the agent's life: readers do not throw, and a disk that is full passes.
      log("warn", "what this host has could not be read", { reason: reasonOf(error) });
    }
  }

  #tell(report: HardwareReport): void {
    if (sameJson(report, this.#report)) return;
    this.#report = report;
    for (const { code, message } of report.problems) this.#parts.log("warn", message, { code });
    this.#changed();
  }

  /** What was remembered in this boot; a file of another one, or of another version of it, says nothing. */
  async #load(): Promise<HealthMemory> {
    if (this.#parts.file === null) return NOTHING_KNOWN;
    try {
      const kept = JSON.parse(await readFile(this.#parts.file, "utf8"));
      return kept.format === FORMAT && kept.bootId === this.#parts.bootId ? kept.memory : NOTHING_KNOWN;
    } catch {
      return NOTHING_KNOWN;
    }
  }

  async #save(memory: HealthMemory): Promise<void> {
    const { file, bootId } = this.#parts;
    if (file !== null) await writePrivateFile(file, JSON.stringify({ format: FORMAT, bootId, memory }));
  }
}

/** Of the file; another shape of the memory gets another number. */
const FORMAT = 1;

const NOTHING_FOUND: HardwareReport = { accelerators: [], nics: [], fabric: null, problems: [], warnings: [] };

const STUCK = {
  code: "reading_stuck",
  part: "",
  accelerators: [],
  message: `a device or its driver does not answer: reading what this host has takes more than ${TURN_MS_MAX / 1_000} s`,
};

/** What the wire allows. */
function bounded(report: HardwareReport): HardwareReport {
  const problems = report.problems.slice(0, PROBLEMS_MAX);
  return {
    ...report,
    problems: problems.map((one) => ({ ...one, message: one.message.slice(0, PROBLEM_CHARS_MAX) })),
  };
}
