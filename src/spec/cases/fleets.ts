import type { Suite } from "./case.ts";

const fleet = "type: fleet\nname: rack-1\n";
/** Hosts that exist; what is added to it is indented by two spaces and begins on line 6. */
const ssh = `${fleet}ssh_config:\n  user: ubuntu\n  identity_file: ~/.ssh/id\n`;

const key = { user: "ubuntu", identityFile: "~/.ssh/id" };
const plain = { ...key, port: null, proxyJump: null, internalIp: null, blocks: null };

/** Files of `type: fleet`. */
export const fleets: Suite = {
  means: [
    [`${fleet}nodes: 2`, "hosts.nodes", { min: 2, target: 2, max: 2 }],
    [`${fleet}nodes: "2"`, "hosts.nodes", { min: 2, target: 2, max: 2 }],
    [`${fleet}nodes: 0..4`, "hosts.nodes", { min: 0, target: 0, max: 4 }],
    [`${fleet}nodes: 1..`, "hosts.nodes", { min: 1, target: 1, max: null }],
    [`${fleet}nodes: {max: 4}`, "hosts.nodes", { min: 0, target: 0, max: 4 }],
    [`${fleet}nodes: {min: 1, target: 2, max: 4}`, "hosts.nodes", { min: 1, target: 2, max: 4 }],
    [`${fleet}nodes: {min: 1, target: 2}`, "hosts.nodes", { min: 1, target: 2, max: null }],
    [`${fleet}nodes: 2`, "placement", "any"],
    [`${fleet}nodes: 2\nplacement: cluster`, "placement", "cluster"],
    [`${fleet}nodes: 2`, "blocks", 1],
    [`${fleet}nodes: 2\nblocks: auto`, "blocks", "auto"],
    [`${fleet}nodes: 2\nblocks: 4`, "blocks", 4],
    [
      `${fleet}nodes: 2\nresources: {gpu: "H100:8"}`,
      "hosts.resources.gpu",
      { names: ["H100"], count: { min: 8, max: 8 } },
    ],
    [`${fleet}nodes: 2`, "hosts.idleDurationS", 259_200],
    [`${fleet}nodes: 2\nidle_duration: off`, "hosts.idleDurationS", null],
    [`${fleet}nodes: 2`, "hosts.spotPolicy", "on-demand"],
    [`${fleet}nodes: 2\nspot_policy: spot`, "hosts.spotPolicy", "spot"],
    [`${fleet}nodes: 2\nreservation: cr-1`, "hosts.reservation", "cr-1"],
    [`${fleet}nodes: 2\nretry: {duration: 1d}`, "hosts.retry.durationS", 86_400],
    [`${fleet}nodes: 2\nbackends: [aws]\nregions: [eu-west-1]`, "hosts", { backends: ["aws"], regions: ["eu-west-1"] }],
    [`${fleet}nodes: 2\ntags: {team: search}\nmax_price: 9`, "hosts", { tags: { team: "search" }, maxPrice: 9 }],
    [
      `${ssh}  hosts: [10.0.0.5, gpu-2.example.com]`,
      "hosts.hosts",
      [
        { ...plain, hostname: "10.0.0.5" },
        { ...plain, hostname: "gpu-2.example.com" },
      ],
    ],
    [
      `${ssh}  port: 2222\n  hosts: [h1, {hostname: h2, port: 22, user: root, identity_file: k2}]`,
      "hosts.hosts",
      [
        { ...plain, hostname: "h1", port: 2222 },
        { ...plain, hostname: "h2", port: 22, user: "root", identityFile: "k2" },
      ],
    ],
    [
      `${ssh}  proxy_jump: {hostname: jump, user: j, identity_file: k}\n  hosts: [h1]`,
      "hosts.hosts.0.proxyJump",
      { hostname: "jump", port: null, user: "j", identityFile: "k" },
    ],
    [`${ssh}  network: 10.0.0.7/24\n  hosts: [h1]`, "hosts.network", "10.0.0.7/24"],
    [`${ssh}  network: fd00:1::/64\n  hosts: [h1]`, "hosts.network", "fd00:1::/64"],
    [`${ssh}  hosts: [{hostname: h1, internal_ip: 192.168.1.5}]`, "hosts.hosts.0.internalIp", "192.168.1.5"],
    [`${ssh}  hosts: [{hostname: h1, blocks: 8}]\nblocks: 2`, "hosts.hosts.0.blocks", 8],
    [`${ssh}  hosts: [h1]\nenv: [HTTPS_PROXY=http://proxy:3128]`, "hosts.env", { HTTPS_PROXY: "http://proxy:3128" }],
    [
      `${fleet}ssh_config:\n  hosts: [{hostname: h1, user: ubuntu, identity_file: ~/.ssh/id}]`,
      "hosts.hosts",
      [{ ...plain, hostname: "h1" }],
    ],
  ],
  refused: [
    [fleet, 1, "The fleet has no hosts", "`nodes`", "`ssh_config`"],
    [`${ssh}  hosts: [h1]\nnodes: 2`, 3, "`ssh_config`", "write two fleets"],
    [`${fleet}nodes: 2\nenv: {A: b}`, 4, "`env` is only for hosts that exist"],
    [`${ssh}  hosts: [h1]\nspot_policy: auto`, 7, "`spot_policy` is only for hosts that are rented"],
    [`${ssh}  hosts: [h1]\nresources: {gpu: 8}`, 7, "`resources` is only for hosts that are rented"],
    [`${fleet}nodes: 4..2`, 3, "ends below its start"],
    [`${fleet}nodes: -1`, 3, "out of bounds"],
    [`${fleet}nodes: {min: 4, max: 2}`, 3, "`min` `4` is above `max` `2`"],
    [`${fleet}nodes: {min: 2, target: 1}`, 3, "`target` `1` is below `min` `2`"],
    [`${fleet}nodes: {min: 1, target: 5, max: 4}`, 3, "`target` `5` is above `max` `4`"],
    [`${fleet}nodes: {mim: 1}`, 3, "did you mean `min`?"],
    [`${fleet}nodes: 2\nplacement: clusters`, 4, "did you mean `cluster`?"],
    [`${fleet}nodes: 2\nblocks: 0`, 4, "out of bounds", "`auto`"],
    [`${fleet}nodes: 2\nblocks: some`, 4, "`some` is not a whole number"],
    [`${fleet}nodes: 2\nmax_duration: 2h`, 4, "`max_duration` is unknown here"],
    [`${fleet}nodes: 2\nnode: 2`, 4, "did you mean `nodes`?"],
    ["type: fleet\nname: Rack\nnodes: 2", 2, "`Rack` cannot be a name", "`rack`"],
    ["type: fleet\nnodes: 2", 1, "`name` is missing"],
    [`${ssh}  hosts: []`, 6, "The list of hosts is empty"],
    [`${ssh}  port: 22`, 4, "`hosts` is missing"],
    [`${ssh}  hosts: [h1, h1]`, 6, "`h1` is listed already, as ssh_config.hosts[0]"],
    [`${ssh}  hosts: [ubuntu@h1]`, 6, "`ubuntu@h1` is no name or address of a host", "`user`"],
    [`${ssh}  hosts: [{hostname: h1, prot: 22}]`, 6, "did you mean `port`?"],
    [`${ssh}  hosts: [{hostname: h1, port: 70000}]`, 6, "a whole number from 1 to 65535"],
    [`${fleet}ssh_config:\n  user: u\n  hosts: [h1]`, 5, "This host has no `identity_file`"],
    [`${fleet}ssh_config:\n  identity_file: k\n  hosts: [h1, h2]`, 3, "`user` is missing", "for all hosts"],
    [
      `${fleet}ssh_config:\n  identity_file: k\n  hosts:\n    - {hostname: h1, user: u}\n    - h2`,
      7,
      "This host has no `user`",
    ],
    [
      `${ssh}  hosts:\n    - {hostname: h1, internal_ip: 10.0.0.1}\n    - h2`,
      8,
      "This host has no `internal_ip` and others have",
    ],
    [
      `${ssh}  hosts:\n    - {hostname: h1, internal_ip: 10.0.0.1}\n    - {hostname: h2, internal_ip: 10.0.0.1}`,
      8,
      "`10.0.0.1` is listed already",
    ],
    [
      `${ssh}  network: 10.0.0.0/24\n  hosts: [{hostname: h1, internal_ip: 10.0.0.1}]`,
      6,
      "`network` cannot stand beside `internal_ip`",
    ],
    [`${ssh}  hosts: [{hostname: h1, internal_ip: 8.8.8.8}]`, 6, "`8.8.8.8` is not private"],
    [`${ssh}  hosts: [{hostname: h1, internal_ip: 10.0.0.256}]`, 6, "`10.0.0.256` is no IP address"],
    [`${ssh}  network: 10.0.0.0\n  hosts: [h1]`, 6, "`10.0.0.0` is no network"],
    [`${ssh}  network: 10.0.0.0/33\n  hosts: [h1]`, 6, "`10.0.0.0/33` is no network"],
    [`${ssh}  network: 8.8.8.0/24\n  hosts: [h1]`, 6, "`8.8.8.0/24` is not private"],
    [`${ssh}  network: 10.0.0.0/7\n  hosts: [h1]`, 6, "is not private"],
    [`${ssh}  proxy_jump: {hostname: j, user: u}\n  hosts: [h1]`, 6, "`identity_file` is missing"],
    [
      `${fleet}ssh_config:\n  user: u\n  identity_file: "-----BEGIN OPENSSH PRIVATE KEY-----"\n  hosts: [h1]`,
      5,
      "This is a private key itself",
    ],
  ],
  notes: [
    [
      `${fleet}nodes: 2\nspot_policy: auto`,
      "1 type: Fleets are not made from files yet. A fleet exists as soon as a host joins it: `headrace token create --host --fleet rack-1` makes the token with which `headrace agent` joins on that host.",
    ],
  ],
};
