import type { Client } from "../api/client.ts";
import type { ServiceView } from "../control/views/views.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io, Screen } from "./io.ts";
import type { Verdict } from "./progress.ts";
import { progressDisplay } from "./progress-display.ts";
import { oneLine } from "./style.ts";
import { showSpan } from "./time-span.ts";
import { watchService } from "./watch-service.ts";

export interface WaitOptions {
  service: string;
  /** The commit that began it. */
  after: number;
  timeoutMs: number;
  /** Where progress is shown. */
  screen: Screen;
  verdict(view: ServiceView | null): Verdict;
  /** e.g. `ready`. */
  wanted: string;
  /** What to do after an end that is not the wanted one. */
  hint: string;
}

/** Timers of more than 31 bits of milliseconds (24 days) fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Shows progress until the verdict falls.
 * @returns the last view, null when the service is gone and that was wanted
 * @throws CliError when it fell otherwise, in time or not, or the user left
 */
export async function waitFor(io: Io, client: Client, options: WaitOptions): Promise<ServiceView | null> {
  const { service, wanted, hint } = options;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(options.timeoutMs, TIMER_MS_MAX));
  const signal = AbortSignal.any([io.interrupted, deadline.signal]);
  const display = progressDisplay(io, options.screen, service);
  let waitsFor = "";
  let silent = false;
  try {
    for await (const sight of watchService(client, { service, after: options.after, signal, sleep: io.sleep })) {
      if (sight.kind === "unreachable") {
        if (!silent) display.say(`${sight.message} Still trying; what runs goes on without it.`);
        silent = true;
        continue;
      }
      if (sight.kind === "commit") {
        display.commit(sight.commit);
        continue;
      }
      silent = false;
      if (sight.view) display.view(sight.view);
      const verdict = options.verdict(sight.view);
      if (verdict.kind === "done") return sight.view;
      if (verdict.kind === "failed") {
        throw new CliError(EXIT.failed, `${service} will not get ${wanted}: ${verdict.reason}.`);
      }
      waitsFor = oneLine(sight.view?.message ?? "");
    }
  } finally {
    clearTimeout(timer);
    display.end();
  }
  if (io.interrupted.aborted) throw new CliError(EXIT.interrupted, `Stopped waiting for ${service}.`, hint);
  const state = waitsFor === "" ? "" : `: ${waitsFor}`;
  const message = `${service} is not ${wanted} after ${showSpan(options.timeoutMs)}${state}`;
  throw new CliError(EXIT.notReady, message.replace(/\.?$/, "."), hint);
}
