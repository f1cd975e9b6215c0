import type { Suite } from "./case.ts";

/** Keys and values that are misspelt, in the wrong place or missing: the nearest right one is named. */
export const words: Suite = {
  means: [["type: service\nname: ab\nimage: x\nport: 1", "name", "ab"]],
  refused: [
    ["type: service\nimage: x\nport: 1", 1, "`name` is missing", "`name: my-service`"],
    ["type: service\nname: demo\nimage: x", 1, "`port` is missing", "`port: 8000`"],
    ["type: service\nname: demo\nport: 1", 1, "nothing to run"],
    ["type: servic\nname: demo", 1, "did you mean `service`?"],
    ["name: demo", 4, "`name` is written twice"],
    ["workingDir: /a", 4, "did you mean `working_dir`?"],
    ["working-dir: /a", 4, "did you mean `working_dir`?"],
    ["evn: [A]", 4, "did you mean `env`?"],
    ["volume: [/a:/b]", 4, "did you mean `volumes`?"],
    ["probe: []", 4, "did you mean `probes`?"],
    ["prioritiy: 1", 4, "did you mean `priority`?"],
    ["rate_limit: []", 4, "did you mean `rate_limits`?"],
    ["gatway: x", 4, "did you mean `gateway`?"],
    ["max_unavailabel: 1", 4, "did you mean `max_unavailable`?"],
    ["registryauth: {}", 4, "did you mean `registry_auth`?"],
    ["spot_policy: spots", 4, "did you mean `spot`?"],
    ["backends: [awss]", 4, "did you mean `aws`?"],
    ["count: 2", 4, "`count` belongs to a group"],
    ["helm: {}", 4, "`helm` is unknown here; known are"],
  ],
};
