/** What a service of the simulation is made of, and the YAML that asks for it. */
export interface Wanted {
  service: string;
  shape: "prefill-decode" | "routed" | "plain";
  routers: number;
  prefills: number;
  workers: number;
  /** Accelerators of each worker. */
  gpus: number;
  /** Whether its workers have an image. */
  hasImage: boolean;
  drainTimeoutS: number;
  /** null = for ever. */
  maxDurationS: number | null;
}

const SGLANG = "python -m sglang.launch_server --model-path m --host $HEADRACE_ADDRESS --port $HEADRACE_PORT";

/** The wanted replicas of each group. */
function countsOf(wanted: Wanted): Record<string, number> {
  switch (wanted.shape) {
    case "prefill-decode":
      return { router: wanted.routers, prefill: wanted.prefills, decode: wanted.workers };
    case "routed":
      return { router: wanted.routers, worker: wanted.workers };
    case "plain":
      return { worker: wanted.workers };
  }
}

export function configOf(wanted: Wanted): string {
  const flags = wanted.shape === "prefill-decode" ? " --pd-disaggregation" : "";
  const commands: Record<string, string> = {
    router: `smg launch${flags} --host $HEADRACE_ADDRESS --port $HEADRACE_PORT --prometheus-port $HEADRACE_METRICS_PORT`,
    prefill: `${SGLANG} --disaggregation-mode prefill --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT`,
    decode: `${SGLANG} --disaggregation-mode decode`,
    worker: SGLANG,
  };
  const groups = Object.entries(countsOf(wanted)).map(([name, count]) =>
    [
      `  - name: ${name}`,
      `    count: ${count}`,
      ...(name === "router" ? ["    router: { type: sglang }"] : []),
      `    commands: ["${commands[name]}"]`,
      ...(wanted.hasImage && name !== "router" ? ["    image: example/engine"] : []),
      `    resources: { cpu: 1.., memory: 100MB.., disk: 100MB..${name === "router" ? "" : `, gpu: H200:${wanted.gpus}`} }`,
    ].join("\n"),
  );
  return [
    "type: service",
    `name: ${wanted.service}`,
    "port: 8000",
    `drain_timeout: ${wanted.drainTimeoutS}s`,
    `max_duration: ${wanted.maxDurationS === null ? "off" : `${wanted.maxDurationS}s`}`,
    "env:",
    "  - HF_TOKEN",
    "groups:",
    ...groups,
    "",
  ].join("\n");
}
