import type { Settings } from "../settings.ts";
import type { Labels } from "./exposition.ts";

/** Labels of what the front end measures. */
export function frontLabels(settings: Settings): Labels {
  const always = { ...settings.metrics.extraLabels, model_name: settings.servedModelName };
  return settings.version === "0.5.10" ? always : { ...always, engine_type: engineType(settings) };
}

/** Labels of what a scheduler measures; which data-parallel rank it is, is said where there are several. */
export function rankLabels(settings: Settings, rank: number): Labels {
  return {
    ...settings.metrics.extraLabels,
    model_name: settings.servedModelName,
    engine_type: engineType(settings),
    tp_rank: "0",
    pp_rank: "0",
    moe_ep_rank: "0",
    ...(settings.dpSize > 1 ? { dp_rank: String(rank) } : {}),
  };
}

function engineType({ mode }: Settings): string {
  return mode === "null" ? "unified" : mode;
}
