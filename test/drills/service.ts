/** The service that every drill runs: a real router, two prefills and two decodes (simulated engines). */
export const SERVICE = "drill";
export const MODEL = "drill-model";

/**
 * Engines of the speed of a 70B model, about 12 ms a token, that start in a second. Their `/health` takes 1 s as
 * SGLang's does.
 */
const ENGINE = "--sim-profile llama-70b-fp8 --sim-load-seconds 0.3";

/** The router's host has memory and no accelerator, the workers' the other way round: so each goes where it is meant to. */
export const HOSTS = {
  front: { cpus: 16, memoryGib: 1_024, diskGib: 500 },
  gpu1: workerHost(),
  gpu2: workerHost(),
} as const;

export type HostName = keyof typeof HOSTS;

/** Two of each, so that none is missed. */
export const CONFIG = configOf({ prefill: 2, decode: 2 });

/** The service with so many workers of each role. */
export function configOf({ prefill, decode }: { prefill: number; decode: number }): string {
  return `
type: service
name: ${SERVICE}
model: ${MODEL}
port: 8000
env:
  - ENGINE_SIM_ARGS=${ENGINE}
groups:
  - name: router
    count: 1
    router:
      type: sglang
    commands:
      - smg launch --pd-disaggregation --policy round_robin --host $HEADRACE_ADDRESS --port $HEADRACE_PORT
        --prometheus-host $HEADRACE_ADDRESS --prometheus-port $HEADRACE_METRICS_PORT
    resources:
      cpu: 1..
      memory: 512GB..
      disk: 1GB..
  - name: prefill
    count: ${prefill}
    commands:
      - python3 -m sglang.launch_server --model-path ${MODEL} --disaggregation-mode prefill --host $HEADRACE_ADDRESS
        --port $HEADRACE_PORT --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT
    resources: &worker
      cpu: 1..
      memory: 1GB..
      disk: 1GB..
      gpu: H200:1
  - name: decode
    count: ${decode}
    commands:
      - python3 -m sglang.launch_server --model-path ${MODEL} --disaggregation-mode decode --host $HEADRACE_ADDRESS
        --port $HEADRACE_PORT
    resources: *worker
`;
}

/** Room for both workers of the other host besides its own two. */
function workerHost() {
  return {
    cpus: 64,
    memoryGib: 256,
    diskGib: 500,
    accelerators: [{ vendor: "nvidia", name: "H200", memoryGib: 141, count: 4 }],
  };
}
