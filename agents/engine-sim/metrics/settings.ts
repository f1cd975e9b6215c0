import { ArgumentError, type Arguments } from "../arguments.ts";

export interface MetricsSettings {
  isOn: boolean;
  /** On every series. */
  extraLabels: Record<string, string>;
  /** Bounds of buckets that replace SGLang's, in seconds. */
  firstTokenBuckets: number[] | null;
  nextTokenBuckets: number[] | null;
  requestBuckets: number[] | null;
  /** Whether 0.5.10 has histograms of lengths, as 0.5.23 always has. */
  lengthHistograms: boolean;
}

/** @throws ArgumentError for labels that are none */
export function readMetricsSettings(args: Arguments): MetricsSettings {
  return {
    isOn: args.has("--enable-metrics"),
    extraLabels: readLabels(args.text("--extra-metric-labels")),
    firstTokenBuckets: ascending(args.decimals("--bucket-time-to-first-token")),
    nextTokenBuckets: ascending(args.decimals("--bucket-inter-token-latency")),
    requestBuckets: ascending(args.decimals("--bucket-e2e-request-latency")),
    lengthHistograms: args.has("--collect-tokens-histogram"),
  };
}

function ascending(buckets: number[] | null): number[] | null {
  return buckets && [...new Set(buckets)].toSorted((left, right) => left - right);
}

function readLabels(text: string | null): Record<string, string> {
  if (text === null) return {};
  const refusal = new ArgumentError("argument --extra-metric-labels: a JSON object with text as values is needed");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refusal;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refusal;
  const isLabel = ([name, label]: [string, unknown]) =>
    /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && typeof label === "string";
  if (!Object.entries(value).every(isLabel)) throw refusal;
  return value as Record<string, string>;
}
