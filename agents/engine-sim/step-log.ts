import type { OnLog } from "./engine.ts";
import { tokenUsage } from "./loads-view.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** Writes a line for a step, as SGLang does. */
export function stepLog(settings: Settings, log: Log): OnLog {
  return (rank, step, load) => {
    const usage = tokenUsage(settings, load).toFixed(2);
    const dp = settings.dpSize > 1 ? `DP${rank} ` : "";
    if (step.kind === "decode") {
      const prealloc = settings.mode === "decode" ? `#prealloc-req: ${load.decodePrealloc}, ` : "";
      log(
        `${dp}Decode batch, #running-req: ${step.sequences}, #token: ${load.usedTokens}, token usage: ${usage}, ` +
          `${prealloc}cuda graph: True, gen throughput (token/s): ${load.generationRate.toFixed(2)}, ` +
          `#queue-req: ${load.waiting}, `,
      );
      return;
    }
    const disaggregation =
      settings.mode === "prefill"
        ? `#bootstrap-req: ${load.prefillBootstrap}, #inflight-req: ${load.prefillInflight}, `
        : "";
    log(
      `${dp}Prefill batch, #new-seq: ${step.sequences}, #new-token: ${step.tokens}, ` +
        `#cached-token: ${step.cachedTokens}, token usage: ${usage}, ` +
        `#running-req: ${Math.max(0, load.running - step.sequences)}, #queue-req: ${load.waiting}, ${disaggregation}`,
    );
  };
}
