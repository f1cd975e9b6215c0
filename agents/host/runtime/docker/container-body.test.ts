import { expect, test } from "vitest";
import { withoutRefusedLimit, withRuntimeParts } from "./container-body.ts";
import { containerName, labelsOf, readLabels } from "./container-names.ts";
import { registryOf, withTag } from "./engine.ts";

test("what the runtime needs is added, and what was asked for stays", () => {
  const body = { Image: "x", Env: ["A=1"], Labels: { mine: "1" }, HostConfig: { Privileged: true, Init: false } };
  const whole = withRuntimeParts(body, { "headrace.job": "a" }, 64 * 1024 * 1024);
  expect(whole).toMatchObject({
    Image: "x",
    Env: ["A=1", "TINI_KILL_PROCESS_GROUP=1"],
    Labels: { mine: "1", "headrace.job": "a" },
    HostConfig: { Privileged: true, Init: true, RestartPolicy: { Name: "no" } },
  });
  // Two attempts of four files are kept of a job.
  expect(whole.HostConfig.LogConfig).toEqual({ Type: "json-file", Config: { "max-size": "8192k", "max-file": "4" } });
});

test("only the limit that was refused is left out, and only once", () => {
  const limits = ["memlock", "nofile"].map((Name) => ({ Name, Soft: -1, Hard: -1 }));
  const body = { Image: "x", HostConfig: { Ulimits: limits, Init: true } };
  const less = withoutRefusedLimit(body, "error setting rlimit type 8: operation not permitted");
  expect(less).toEqual({ limit: "memlock", body: { Image: "x", HostConfig: { Ulimits: [limits[1]], Init: true } } });
  expect(withoutRefusedLimit(less!.body, "error setting rlimit type 8: operation not permitted")).toBeNull();
  expect(withoutRefusedLimit(body, "no space left on device")).toBeNull();
});

test("a job is read back from its container's labels, and a stranger's labels are nobody's", () => {
  const name = { job: "w-1.0", replica: "w-1", attempt: 3, image: "x:1" };
  const container = { id: "id", state: "running" };
  expect(readLabels({ ...container, labels: labelsOf("abc", name) })).toEqual({ ...name, ...container });
  expect(containerName("abc", name)).toBe("headrace-abc-w-1.0.3");
  expect(readLabels({ ...container, labels: { "headrace.job": "a" } })).toBeNull();
});

test.each([
  ["sglang", "sglang:latest", "docker.io"],
  ["lmsysorg/sglang:v1", "lmsysorg/sglang:v1", "docker.io"],
  ["localhost/x", "localhost/x:latest", "localhost"],
  ["127.0.0.1:5000/x", "127.0.0.1:5000/x:latest", "127.0.0.1:5000"],
  ["ghcr.io/a/b@sha256:0123", "ghcr.io/a/b@sha256:0123", "ghcr.io"],
])("%s is pulled as %s from %s", (image, whole, registry) => {
  expect([withTag(image), registryOf(image)]).toEqual([whole, registry]);
});
