import type { Suite } from "./case.ts";

const until =
  "acts when rollouts exist; until then a running service has to be stopped before more than its counts can change.";

/** How a new revision replaces the old one, and how long an old replica may take. */
export const rollouts: Suite = {
  means: [
    ["auth: true", "rollout", { maxSurge: { replicas: 1 }, maxUnavailable: { replicas: 0 }, canary: null }],
    ["max_surge: 25%", "rollout.maxSurge", { percent: 25 }],
    ["max_surge: 2", "rollout.maxSurge", { replicas: 2 }],
    ["max_unavailable: '1'", "rollout.maxUnavailable", { replicas: 1 }],
    ["max_surge: 0\nmax_unavailable: 1", "rollout.maxSurge", { replicas: 0 }],
    ["canary: {replicas: 10%, hold: 1h}", "rollout.canary", { share: { percent: 10 }, holdS: 3600 }],
    ["canary: {replicas: 1}", "rollout.canary", { share: { replicas: 1 }, holdS: 600 }],
    ["drain_timeout: 10m", "drainTimeout", 600],
    ["drain_timeout:", "drainTimeout", null],
    ["stop_duration: 90", "stopDuration", 90],
    ["stop_duration: on", "stopDuration", 300],
  ],
  refused: [
    ["max_surge: 101%", 4, "`101%` is no share from 0% to 100%"],
    ["max_surge: 1.5", 4, "`1.5` is not a whole number"],
    ["max_surge: -1", 4, "`-1` is out of bounds"],
    ["max_unavailable: half", 4, "`half` is not a whole number", "`25%`"],
    ["max_surge: 0", 4, "no replica could ever be replaced", "`max_unavailable: 1`"],
    ["max_surge: 0%\nmax_unavailable: 0", 4, "no replica could ever be replaced"],
    ["canary: 1", 4, "where a mapping belongs", "`canary: {replicas: 1, hold: "],
    ["canary: {hold: 1m}", 4, "`replicas` is missing"],
    ["canary: {replicas: 0}", 4, "`0` is no replica at all"],
    ["canary: {replicas: 1, hold: soon}", 4, "`soon` is not a duration"],
    ["drain_timeout: off", 4, "`off`"],
    ["drain_timout: 5m", 4, "did you mean `drain_timeout`?"],
    ["stop_duration: never", 4, "`never` is not a duration", "or `off`"],
  ],
  notes: [
    [
      "max_surge: 1",
      `4 max_surge: \`max_surge\` ${until.replace("until then", "until then it holds while hosts are drained, and")}`,
    ],
    ["canary: {replicas: 1}", `4 canary: \`canary\` ${until}`],
    ["drain_timeout: 1m\nstop_duration: 1m"],
  ],
};
