import { ArgumentError } from "./arguments.ts";
import { fraction } from "./random.ts";

/** What is to go wrong. Times are simulated, from when the engine is up. */
export interface Faults {
  /** Memory runs out while weights load. */
  loadOom: boolean;
  /** The first request of all fails. */
  warmup: boolean;
  crashAfterMs: number | null;
  /** No step ends any more, until the watchdog ends the process. */
  hangAfterMs: number | null;
  /** Share of transfers of cache that fail. */
  transferProbability: number;
}

/**
 * Reads `--sim-fail`: faults separated by commas.
 * @throws ArgumentError for what is no fault
 */
export function readFaults(text: string | null): Faults {
  const faults: Faults = {
    loadOom: false,
    warmup: false,
    crashAfterMs: null,
    hangAfterMs: null,
    transferProbability: 0,
  };
  for (const fault of (text ?? "").split(",").filter((word) => word !== "")) {
    const [name, value] = fault.split("=");
    const number = Number(value || Number.NaN);
    if (fault === "load-oom") faults.loadOom = true;
    else if (fault === "warmup") faults.warmup = true;
    else if (name === "crash-after" && number >= 0) faults.crashAfterMs = number * 1000;
    else if (name === "hang-after" && number >= 0) faults.hangAfterMs = number * 1000;
    else if (name === "transfer-prob" && number >= 0 && number <= 1) faults.transferProbability = number;
    else {
      throw new ArgumentError(
        `argument --sim-fail: invalid fault: '${fault}' (load-oom, warmup, crash-after=SECONDS, hang-after=SECONDS, ` +
          "transfer-prob=SHARE; several with commas)",
      );
    }
  }
  return faults;
}

/** Keeps the draws of this apart from those of other things with the same seed. */
const DRAW_OFFSET = 1_000_000;

/** @returns a series that says of each transfer whether it fails, the same for the same seed */
export function transferFaults(probability: number, seed: number): () => boolean {
  let drawn = 0;
  return () => {
    drawn += 1;
    return fraction(seed, DRAW_OFFSET + drawn) < probability;
  };
}
