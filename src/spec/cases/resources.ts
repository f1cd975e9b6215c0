import type { Suite } from "./case.ts";

/** What a replica needs of its host; the grammars themselves are told by the tests beside them. */
export const resources: Suite = {
  means: [
    ["resources: {}", "groups.0.resources.cpu", { arch: null, count: { min: 2, max: null } }],
    ["resources: {cpu: 4:arm}", "groups.0.resources.cpu", { arch: "arm", count: { min: 4, max: 4 } }],
    ["resources: {cpu: {arch: amd64}}", "groups.0.resources.cpu", { arch: "x86", count: { min: 2, max: null } }],
    ["resources: {memory: 16}", "groups.0.resources.memory", { min: 16, max: 16 }],
    ["resources: {memory: 512MB..1TB}", "groups.0.resources.memory", { min: 0.5, max: 1024 }],
    ["resources: {shm_size: 16 gb}", "groups.0.resources.shmSize", 16],
    ["resources: {disk: {size: 200GB..}}", "groups.0.resources.disk", { min: 200, max: null }],
    ["resources: {gpu: 80}", "groups.0.resources.gpu.count", { min: 80, max: 80 }],
    [
      "resources: {gpu: 'nvidia:80GB:2..'}",
      "groups.0.resources.gpu",
      { vendor: "nvidia", memory: { min: 80, max: 80 } },
    ],
    ["resources: {gpu: MI300X:8}", "groups.0.resources.gpu", { vendor: "amd", names: ["MI300X"] }],
    ["resources: {gpu: {name: [H100, H200]}}", "groups.0.resources.gpu.names", ["H100", "H200"]],
    ["resources: {gpu: {count: 2, compute_capability: [9, 0]}}", "groups.0.resources.gpu.computeCapability", [9, 0]],
    ["resources: {gpu: {name: 'H100, H200'}}", "groups.0.resources.gpu.names", ["H100", "H200"]],
    ["resources: {gpu: }", "groups.0.resources.gpu.count", { min: 0, max: null }],
    ["resources: {gpu: H100}\ngroups: [{replicas: 1, commands: [x]}]", "groups.0.resources.gpu.names", ["H100"]],
    [
      "resources: {gpu: H100}\ngroups: [{replicas: 1, commands: [x], resources: {cpu: 4}}]",
      "groups.0.resources.gpu.names",
      [],
    ],
  ],
  refused: [
    ["resources: {gpu: [H100]}", 4, "Found a list"],
    ["resources: {gpu: H100:A100}", 4, "gives names twice"],
    ["resources: {memory: 16GiB}", 4, "`16GiB`", "MB, GB or TB"],
    ["resources: {cpu: arm:x86}", 4, "names two architectures"],
    ["resources: {gpus: 1}", 4, "did you mean `gpu`?"],
    ["resources: {gpu: {vendor: nvdia}}", 4, "`nvdia` is no vendor"],
    ["resources: {gpu: {memory: 80GB..40GB}}", 4, "ends below its start"],
    [
      "resources: {disk: {min: 1, size: 2}}",
      4,
      "does not fit the keys beside it",
      "write either `min`, `max` or `size`",
    ],
    ["resources: {cpu: {arch: arm, min: 4}}", 4, "`min` does not fit", "`arch`, `count`"],
    ["resources: {gpu: {name: ''}}", 4, "has an empty name"],
    ["resources: {gpu: {name: [H100, '']}}", 4, "has an empty name"],
    ["resources: {gpu: {compute_capability: [9, 1000]}}", 4, "`[9, 0]`"],
    ["resources: H100", 4, "where a mapping belongs"],
  ],
  notes: [["resources: {shm_size: 16GB}"]],
};
