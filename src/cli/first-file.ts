/** What a first file is made of. */
export interface FirstFile {
  name: string;
  /** As its hub calls it, or a folder of the hosts. */
  model: string;
  /** Accelerators of one replica as they are written, e.g. `H100:1`; null = none. */
  gpu: string | null;
  /** Whether prefill and decode are groups of their own, which needs a router. */
  disaggregated: boolean;
  /** Workers; of a disaggregated service the decodes. */
  replicas: number;
  /** Whether a router spreads the requests. */
  router: boolean;
}

/** A file that runs SGLang, with a comment on each line that one would change. */
export function firstFile(answers: FirstFile): string {
  const groups = answers.disaggregated
    ? [router(true), worker(answers, "prefill", 1), worker(answers, "decode", answers.replicas)]
    : [...(answers.router ? [router(false)] : []), worker(answers, "worker", answers.replicas)];
  return `${head(answers)}\ngroups:\n${groups.join("\n")}`;
}

/** A name for a service out of a model's: `Qwen/Qwen3-8B` is `qwen3-8b`. */
export function nameOf(model: string): string {
  const last = model.split("/").findLast((part) => part !== "") ?? "";
  const slug = last
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, NAME_CHARS_MAX)
    .replace(/-+$/, "");
  return slug.length < NAME_CHARS_MIN ? "my-service" : slug;
}

/** What the language allows. */
const NAME_CHARS_MIN = 2;
const NAME_CHARS_MAX = 41;

function head({ name, model, gpu }: FirstFile): string {
  return `# Check it with \`headrace plan -f FILE\`, start it with \`headrace apply -f FILE\`.
type: service
name: ${name}

# Requests that name this model find the service.
model: ${JSON.stringify(model)}

# Where it is taken on a host another one is chosen, since the commands ask for it by $HEADRACE_PORT.
port: 8000

env:
  # Without a value it is taken from your environment when you apply: the token for a model that is not public.
  # - HF_TOKEN
  - ${JSON.stringify(`MODEL_ID=${model}`)}

# What each worker needs of its host.
resources:
${gpu === null ? "  # gpu: H100:1" : `  gpu: ${JSON.stringify(gpu)}`}
  memory: 16GB..
  disk: 50GB..
`;
}

function router(disaggregated: boolean): string {
  const pairs = disaggregated ? " --pd-disaggregation" : "";
  const says = disaggregated
    ? "Pairs a prefill with a decode for each request."
    : "Spreads requests over the workers, those with alike prompts to the same one.";
  return `  # ${says}
  - name: router
    replicas: 1
    router: {type: smg}
    commands:
      - pip install smg
      - >
        smg launch${pairs} --policy cache_aware
        --host $HEADRACE_ADDRESS --port $HEADRACE_PORT
        --prometheus-host $HEADRACE_ADDRESS --prometheus-port $HEADRACE_METRICS_PORT
        --control-plane-api-keys headrace:headrace:admin:$HEADRACE_ROUTER_KEY
    resources: {cpu: 2.., memory: 2GB.., disk: 5GB..}
`;
}

function worker({ gpu }: FirstFile, role: "worker" | "prefill" | "decode", replicas: number): string {
  const flags = {
    worker: "",
    prefill: "\n        --disaggregation-mode prefill --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT",
    decode: "\n        --disaggregation-mode decode",
  }[role];
  const says = { worker: "Answer requests.", prefill: "Read prompts.", decode: "Write answers." }[role];
  const parallel = gpu === null ? "" : " --tp-size $HEADRACE_GPUS_NUM";
  return `  # ${says}
  - name: ${role}
    replicas: ${replicas}
    commands:
      - >
        python3 -m sglang.launch_server --model-path $MODEL_ID${parallel}
        --host $HEADRACE_ADDRESS --port $HEADRACE_PORT${flags}
`;
}
