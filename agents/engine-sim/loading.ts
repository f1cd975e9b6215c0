import type { Clock } from "./clock.ts";
import { dieOf } from "./ending.ts";
import type { Log } from "./log.ts";
import { loadMs } from "./model.ts";
import type { Settings } from "./settings.ts";

/** How the start went, for those who ask later. Simulated. */
export interface Startup {
  loadMs: number;
}

const LOAD_STEPS = 10;

/** Memory runs out after this many of them, where it is to. */
const OOM_STEP = 5;

/** Loads weights, which here means to wait, and says so in SGLang's words. */
export async function load(settings: Settings, clock: Clock, log: Log): Promise<Startup> {
  const { profile, version } = settings;
  const ms = settings.loadSeconds === null ? loadMs(profile) : settings.loadSeconds * 1000;
  log(version === "0.5.10" ? "Init torch distributed begin." : "Init parallel begin.");
  log("Load weight begin. avail mem=79.00 GB");
  for (let step = 1; step <= LOAD_STEPS; step += 1) {
    await clock.sleep(ms / LOAD_STEPS);
    const percent = String((step * 100) / LOAD_STEPS).padStart(3);
    process.stderr.write(`Loading safetensors checkpoint shards: ${percent}% Completed | ${step}/${LOAD_STEPS}\n`);
    if (settings.faults.loadOom && step === OOM_STEP) {
      dieOf(log, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.");
    }
  }
  log(`Load weight end. elapsed=${(ms / 1000).toFixed(2)} s, type=LlamaForCausalLM`);
  if (version === "0.5.10") {
    log(`KV Cache is allocated. #tokens: ${settings.maxTotalTokens}`);
    log("Memory pool end. avail mem=10.00 GB");
  }
  log("Capture cuda graph begin. This can take up to several minutes.");
  log("Capture cuda graph end. Time elapsed: 0.00 s.");
  log(
    `max_total_num_tokens=${settings.maxTotalTokens}, chunked_prefill_size=${settings.chunkedPrefillSize ?? -1}, ` +
      `max_running_requests=${settings.maxRunningRequests}, context_len=${settings.contextLength}, ` +
      "available_gpu_mem=10.00 GB",
  );
  return { loadMs: ms };
}
