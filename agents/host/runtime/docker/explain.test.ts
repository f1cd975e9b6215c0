import { expect, test } from "vitest";
import { explainPull, explainStart } from "./explain.ts";

const IMAGE = "registry.example.com/team/engine:1";

/** The words of engines and registries, as they were seen, and what a person is told. */
test.each([
  ["manifest for registry.example.com/team/engine:1 not found: manifest unknown", "has no such image"],
  [
    "Get https://registry.example.com/v2/team/engine/manifests/1: no basic auth credentials",
    "does not accept the user",
  ],
  ["unauthorized: authentication required", "does not accept the user"],
  [
    "pull access denied for team/engine, repository does not exist or may require 'docker login'",
    "does not accept the",
  ],
  ["toomanyrequests: You have reached your pull rate limit.", "limits how much is pulled"],
  ["no matching manifest for linux/arm64/v8 in the manifest list entries", "it was not built for linux/arm64/v8"],
  ["failed to register layer: write /usr/lib/x: no space left on device", "the disk of the Docker engine is full"],
  ["Get https://registry.example.com/v2/: dial tcp: lookup registry.example.com: no such host", "cannot be reached"],
  ["Get https://registry.example.com/v2/: http: server gave HTTP response to HTTPS client", "speaks HTTP only"],
  ["Get https://registry.example.com/v2/: x509: certificate signed by unknown authority", "certificate of registry"],
])("a pull that failed with %j", (words, told) => {
  const text = explainPull(IMAGE, words, true);
  expect(text).toMatch(/^the image registry\.example\.com\/team\/engine:1 cannot be pulled: /);
  expect(text).toContain(told);
  expect(text).toContain(`(the Docker engine says: ${words})`);
});

test.each([
  ['could not select device driver "nvidia" with capabilities: [[gpu]]', "install nvidia-container-toolkit"],
  ['invalid mount config for type "bind": bind source path does not exist: /models', "this host has no /models,"],
  [
    'error gathering device information while adding custom device "/dev/kfd": no such file or directory',
    "this host has no device /dev/kfd any more",
  ],
  ["runc create failed: unable to apply caps: operation not permitted", "may not grant what the container wants"],
  ["standard_init_linux.go:228: exec user process caused: exec format error", "another kind of CPU"],
  ["unable to find user engine: no matching entries in passwd file", "has no user engine"],
  ['exec: "python3": executable file not found in $PATH: unknown', "has no program python3"],
])("a start that failed with %j", (words, told) => {
  expect(explainStart(IMAGE, words)).toContain(told);
});

test("what is not known is passed on in the engine's own words, in short", () => {
  expect(explainStart(IMAGE, "something new")).toBe("the Docker engine says: something new");
  expect(explainStart(IMAGE, "x".repeat(1_000)).length).toBeLessThan(250);
});
