import type { Suite } from "./case.ts";

/** What is mounted into a replica. */
export const volumes: Suite = {
  means: [
    [
      "volumes: [/mnt/models:/models]",
      "groups.0.volumes",
      [{ kind: "instance", instancePath: "/mnt/models", path: "/models", optional: false }],
    ],
    [
      "volumes: [{instance_path: /a, path: /b, optional: yes}]",
      "groups.0.volumes",
      [{ kind: "instance", instancePath: "/a", path: "/b", optional: true }],
    ],
    ["volumes: [models:/models]", "groups.0.volumes", [{ kind: "network", names: ["models"], path: "/models" }]],
    ["volumes: [{name: models, path: /m}]", "groups.0.volumes", [{ kind: "network", names: ["models"], path: "/m" }]],
    [
      "volumes: [{name: [zone-a, zone-b], path: /m}]",
      "groups.0.volumes",
      [{ kind: "network", names: ["zone-a", "zone-b"], path: "/m" }],
    ],
    ["volumes: ['data-${{ dstack.node_rank }}:/m']", "groups.0.volumes.0.names", ["data-${{ dstack.node_rank }}"]],
    ["volumes: [{name: 'x-${{ dstack.job_num }}', path: /m}]", "groups.0.volumes.0.names", ["x-${{ dstack.job_num }}"]],
    ["volumes: [/a:/b]\ngroups: [{replicas: 1, commands: [x]}]", "groups.0.volumes.0.path", "/b"],
    ["volumes: [/a:/b]\ngroups: [{replicas: 1, commands: [x], volumes: []}]", "groups.0.volumes", []],
    ["volumes: []", "groups.0.volumes", []],
  ],
  refused: [
    ["volumes: [{name: a, instance_path: /b, path: /c}]", 4, "does not fit the keys beside it"],
    ["volumes: [/a]", 4, "`/a` is no volume", "exactly one `:`"],
    ["volumes: ['/a:/b:/c']", 4, "exactly one `:`"],
    ["volumes: [./a:/b]", 4, "`./a` is not an absolute path"],
    ["volumes: [/a:b]", 4, "`b` is not an absolute path"],
    ["volumes: [/a/../b:/c]", 4, "contains `..`"],
    ["volumes: [Data:/m]", 4, "`Data` cannot be the name of a volume"],
    ["volumes: [{name: [], path: /m}]", 4, "names no volume"],
    ["volumes: [{path: /m}]", 4, "`instance_path` is missing"],
    ["volumes: [{nme: data, path: /m}]", 4, "did you mean `name`?"],
    ["volumes: [{instance_pth: /a, path: /m}]", 4, "did you mean `instance_path`?"],
    ["volumes: [{name: data, path: /m, optional: true}]", 4, "`optional`"],
    ["volumes: ['d-${{ secrets.X }}:/m']", 4, "`${{ secrets.X }}` cannot stand here", "`${{ dstack.node_rank }}`"],
    ["volumes: ['d-${{ dstack.rank }}:/m']", 4, "cannot stand here", "`${{ dstack.job_num }}`"],
    ["volumes: /a:/b", 4, "where a list belongs"],
  ],
  notes: [["volumes: [/models:/models]"], ["volumes: []"]],
};
