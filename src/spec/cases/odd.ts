import type { Suite } from "./case.ts";

/** Scalars that versions of YAML read differently: refused only where the field would mean something else. */
export const odd: Suite = {
  means: [
    ["auth: off", "auth", false],
    ["auth: No", "auth", false],
    ["stop_duration: off", "stopDuration", null],
    ["max_duration: off", "profile.maxDurationS", null],
    ["retry: no", "profile.retry", null],
    ["python: 3.10\ncommands: [a]", "groups.0.python", "3.10"],
    ["drain_timeout: 90.0", "drainTimeout", 90],
    ["drain_timeout: 0x10", "drainTimeout", 16],
    ["resources: {gpu: 'H100:8'}", "groups.0.resources.gpu.count.min", 8],
    ["env: {A: '2024-01-01'}", "groups.0.env", { A: "2024-01-01" }],
    ["env: {A: '010'}", "groups.0.env", { A: "010" }],
    ["commands: ['on']", "groups.0.commands", ["on"]],
  ],
  refused: [
    ["type: service\nname: demo\nimage: x\nport: 80:30", 4, "`4830` to YAML 1.1", '`4830` or `"80:30"`'],
    ["replicas: 010", 4, "`8` to YAML 1.1", "`8` or `10`"],
    ["priority: 0o17", 4, "`0o17`"],
    ["drain_timeout: 1:30", 4, "the number `90` to YAML 1.1", '`90` or `"1:30"`'],
    ["drain_timeout: 1e3", 4, "`1000`"],
    ["drain_timeout: 1_000", 4, "the number `1000` to YAML 1.1"],
    ["env: {A: 2024-01-01}", 4, "quotes"],
    ["env: {A: yes}", 4, "quotes"],
    ["env: {A: 1.10}", 4, "quotes"],
    ["commands: [on]", 4, "the boolean `true` to YAML 1.1", '`"on"`'],
    ["model: 1.10", 4, '`"1.10"` or `"1.1"`'],
    ["resources: {gpu: 1:30}", 4, '`90` or `"1:30"`'],
    ["working_dir: no", 4, '`"no"`'],
  ],
};
