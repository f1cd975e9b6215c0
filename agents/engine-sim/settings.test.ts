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
    ["--model-path m --sim-speed 0", "argument --sim-speed: 0 is below 0.001"],
  ];
  it.each(refused)("refuses %s", (line, message) => {
    expect(() => read(line)).toThrow(message);
  });
});
