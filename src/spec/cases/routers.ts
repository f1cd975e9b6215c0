import type { Suite } from "./case.ts";

const worker = "{replicas: 1, commands: [x]}";

/** What spreads the requests over the workers. */
export const routers: Suite = {
  means: [
    ["groups: [{replicas: 1, commands: [x], router: {}}]", "groups.0.router", { type: "smg", generated: null }],
    ["groups: [{replicas: 1, commands: [x], router: {type: sglang}}]", "groups.0.router.type", "smg"],
    ["groups: [{replicas: 1, commands: [x], router: {type: dynamo}}]", "groups.0.router.type", "dynamo"],
    ["groups: [{replicas: 2, commands: [x], router: {type: smg}}]", "groups.0.count", { min: 2, max: 2 }],
    [
      "retry: true\ngroups: [{replicas: 1, commands: [x], router: {type: dynamo}}]",
      "profile.retry.onEvents",
      ["no-capacity", "interruption", "error"],
    ],
    [`router: {type: sglang}\ngroups: [${worker}]`, "groups.length", 2],
    [
      `router: {type: sglang, pd_disaggregation: true, policy: cache_aware}\ngroups: [${worker}]`,
      "groups.1",
      {
        name: "router",
        router: { type: "smg", generated: { policy: "cache_aware", pdDisaggregation: true } },
        count: { min: 1, max: 1 },
        commands: [],
        image: null,
        probes: null,
        volumes: [],
      },
    ],
    [
      `router: {}\nreplicas: [{count: 2, commands: [x]}]`,
      "groups.1.router.generated",
      { policy: null, pdDisaggregation: false },
    ],
    ["router: {type: smg}\nreplicas: 2", "groups.1.port", 8000],
    [
      "router: {type: smg}\nenv: {A: 1}\nimage: x\nprivileged: true",
      "groups.1",
      { image: null, privileged: false, env: { A: "1" } },
    ],
    [`router: {type: smg}\nfleets: [rack-1]\ngroups: [${worker}]`, "groups.1.fleets.0.name", "rack-1"],
  ],
  refused: [
    ["groups: [{replicas: 2, commands: [x], router: {type: dynamo}}]", 4, "exactly one replica", "`replicas: 1`"],
    ["groups: [{replicas: 0, commands: [x], router: {}}]", 4, "at least one"],
    [
      "groups:\n  - {replicas: 1, commands: [x], router: {}}\n  - {replicas: 1, commands: [x], router: {}}",
      6,
      "Only one group can have a `router`",
    ],
    ["groups: [{replicas: 1, commands: [x], router: {type: nginx}}]", 4, "`nginx` is not one of"],
    ["groups: [{replicas: 1, commands: [x], router: {policy: random}}]", 4, "command line", "`--policy`"],
    ["groups: [{replicas: 1, commands: [x], router: {pd_disaggregation: true}}]", 4, "`--pd-disaggregation`"],
    ["groups: [{replicas: 1, commands: [x], role: router}]", 4, "`router: {type: smg}`"],
    ["groups: [{replicas: 1, commands: [x], role: prefil}]", 4, "did you mean `prefill`?"],
    ["groups: [{replicas: 1, commands: [x], role: decode, router: {}}]", 4, "cannot be `decode` too"],
    [
      `router: {type: smg}\ngroups:\n  - {replicas: 1, commands: [x], router: {}}`,
      6,
      "The service has a `router` of its own",
    ],
    [`router: {type: smg}\ngroups:\n  - {name: router, replicas: 1, commands: [x]}`, 6, "becomes a group of this name"],
    [`router: {type: dynamo}\ngroups: [${worker}]`, 4, "`dynamo` is not one of `smg` or `sglang`"],
    [`router: {policy: cacheaware}\ngroups: [${worker}]`, 4, "did you mean `cache_aware`?"],
    [`router: {pd_dissaggregation: true}\ngroups: [${worker}]`, 4, "did you mean `pd_disaggregation`?"],
    ["router: sglang", 4, "where a mapping belongs", "`router: {type: sglang"],
  ],
};
