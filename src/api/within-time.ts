import type { Control } from "../control/types.ts";
import { RequestError } from "./errors.ts";

/**
 * A control plane that answers in time or says that it cannot. What was asked goes on: a change whose commit may have
 * been written is pursued until that is known, and whoever repeats it under its key gets what became of it.
 */
export function withinTime(control: Control, ms: number): Control {
  return new Proxy(control, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const answer: unknown = value.apply(target, args);
        return answer instanceof Promise ? inTime(answer, ms) : answer;
      };
    },
  });
}

async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const message =
      `this could not be finished within ${ms / 1_000} s, since the database does not answer; ` +
      "a change may still be made, so repeat it under the same idempotency key";
    timer = setTimeout(() => reject(new RequestError("unavailable", message)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
