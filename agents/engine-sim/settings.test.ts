import { describe, expect, it } from "vitest";
import { readSettings } from "./settings.ts";

const read = (line: string) => readSettings(line.split(" "));

describe("the command line", () => {
  it("has SGLang's defaults", () => {
    const { settings, warnings } = read("--model-path m");
    expect(settings).toMatchObject({
      servedModelName: "m",
      host: "127.0.0.1",
      port: 30_000,
      mode: "null",
      bootstrapPort: 8998,
      apiKey: null,
      maxQueuedRequests: null,
      version: "0.5.23",
      record: null,
    });
    expect(settings.profile.name).toBe("tiny");
    expect(warnings).toEqual([]);
  });

  it("is read in both spellings, the last flag winning", () => {
    const { settings } = read("--model m --port 1 --port=8000 --host=0.0.0.0 --tp 8 --served-model-name s");
    expect(settings).toMatchObject({ port: 8000, host: "0.0.0.0", tpSize: 8, servedModelName: "s", modelPath: "m" });
  });

  it("is the one of a real prefill worker, without a warning", () => {
    const { settings, warnings } = read(
      "--model Qwen/Qwen2.5-72B-Instruct --disaggregation-mode prefill --disaggregation-transfer-backend mooncake " +
        "--host 0.0.0.0 --port 30000 --tp 8 --trust-remote-code --disaggregation-ib-device a,b " +
        "--disaggregation-bootstrap-port 8998 --disable-radix-cache --disable-cuda-graph --disable-overlap-schedule " +
        "--decode-attention-backend triton --mem-fraction-static 0.8 --max-running-requests 1024",
    );
    expect(settings).toMatchObject({ mode: "prefill", maxRunningRequests: 1024, transferBackend: "mooncake" });
    expect(warnings).toEqual([]);
  });

  it("takes lists, and labels as JSON", () => {
    const { settings, warnings } = read(
      '--model m --enable-metrics --bucket-time-to-first-token 0.5 0.1 2 --extra-metric-labels {"zone":"a"} --port 1',
    );
    expect(settings.metrics).toMatchObject({
      isOn: true,
      firstTokenBuckets: [0.1, 0.5, 2],
      extraLabels: { zone: "a" },
    });
    expect(settings.port).toBe(1);
    expect(warnings).toEqual([]);
  });

  it("shares what all ranks may run at once among them", () => {
    const { settings } = read("--model m --dp-size 4 --max-running-requests 64");
    expect(settings).toMatchObject({ dpSize: 4, maxRunningRequests: 16 });
  });

  it("puts a profile on the accelerators it is given", () => {
    const { settings } = read("--model m --sim-profile llama-8b-bf16 --tp 2");
    expect(settings).toMatchObject({ tpSize: 2, profile: { accelerators: 2 } });
    expect(read("--model m --sim-profile llama-70b-fp8").settings.tpSize).toBe(4);
  });

  it("sends the cache over TCP where backend or environment say so", () => {
    expect(read("--model m").settings.network).toBe("rdma");
    expect(read("--model m --disaggregation-transfer-backend mooncake_tcp").settings.network).toBe("tcp");
    expect(readSettings(["--model", "m"], { MC_FORCE_TCP: "1" }).settings.network).toBe("tcp");
  });

  it("reads faults", () => {
    expect(read("--model m --sim-fail crash-after=1.5,transfer-prob=0.25").settings.faults).toEqual({
      loadOom: false,
      warmup: false,
      crashAfterMs: 1500,
      hangAfterMs: null,
      transferProbability: 0.25,
    });
  });

  it("warns of what it does not know", () => {
    expect(read("--model-path m --prot 8000 stray").warnings).toEqual([
      "unknown argument --prot is ignored by the simulated engine",
      "unknown argument stray is ignored by the simulated engine",
    ]);
  });

  const refused: [string, string][] = [
    ["--port 1", "the following arguments are required: --model-path"],
    ["--model-path m --port x", "argument --port: invalid int value: 'x'"],
    ["--model-path m --port", "argument --port: expected one argument"],
    ["--model-path m --disaggregation-mode both", "choose from 'null', 'prefill', 'decode'"],
    ["--model-path m --sim-profile huge", "choose from 'tiny'"],
    ["--model-path m --sim-fail explode", "invalid fault: 'explode'"],
    ["--model-path m --sim-fail crash-after", "invalid fault: 'crash-after'"],
    ["--model-path m --sim-fail transfer-prob=2", "invalid fault: 'transfer-prob=2'"],
    ["--model-path m --nnodes 2", "--dist-init-addr: host:port of rank 0 is needed"],
    ["--model-path m --nnodes 2 --node-rank 2 --dist-init-addr h:1", "2 is not below --nnodes 2"],
    ["--model-path m --extra-metric-labels nonsense", "a JSON object with text as values is needed"],
    ["--model-path m --bucket-inter-token-latency 1 x", "invalid float value: 'x'"],
    ["--model-path m --sim-profile llama-70b-bf16 --tp 1", "do not fit 1 accelerators"],
    ["--model-path m --disaggregation-mode prefill --disaggregation-transfer-backend fake", "for a decode only"],
    ["--model-path m --sim-speed 0", "argument --sim-speed: 0 is below 0.001"],
  ];
  it.each(refused)("refuses %s", (line, message) => {
    expect(() => read(line)).toThrow(message);
  });
});
