import type { Suite } from "./case.ts";

/** Where commands run: an image, or the base image with something in it. */
export const images: Suite = {
  means: [
    ["image: lmsysorg/sglang:v0.5.5", "groups.0.image", "lmsysorg/sglang:v0.5.5"],
    ["python: 3.12\ncommands: [a]", "groups.0.python", "3.12"],
    ["python: '3.9'\ncommands: [a]", "groups.0.python", "3.9"],
    ["nvcc: yes\ncommands: [a]", "groups.0.nvcc", true],
    ["nvcc: true\nimage: x", "groups.0.nvcc", true],
    ["docker: true\ncommands: [a]", "groups.0.privileged", true],
    ["docker: false\nimage: x", "groups.0.docker", false],
    ["privileged: on\nimage: x", "groups.0.privileged", true],
    ["image: x\ngroups: [{replicas: 1}, {replicas: 1}]", "groups.1.image", "x"],
    ["image: x\ngroups: [{replicas: 1, docker: false}]", "groups.0.image", "x"],
    ["groups: [{replicas: 1, image: x}, {replicas: 1, python: 3.11, commands: [a]}]", "groups.1.python", "3.11"],
    ["registry_auth: {username: u, password: p}", "registryAuth", { username: "u", password: "p" }],
    ["registry_auth: {username: 12, password: '${{ secrets.P }}'}", "registryAuth.username", "12"],
    ["groups: [{replicas: 1, image: x, spot_policy: spot}]", "groups.0.spotPolicy", "spot"],
    ["spot_policy: auto\ngroups: [{replicas: 1, image: x}]", "groups.0.spotPolicy", "auto"],
    ["image: x", "groups.0.spotPolicy", "on-demand"],
    ["groups: [{replicas: 1, image: x, reservation: cr-1}]", "groups.0.reservation", "cr-1"],
    [
      "fleets: [rack-1, team/rack-2]\nimage: x",
      "groups.0.fleets",
      [
        { project: null, name: "rack-1" },
        { project: "team", name: "rack-2" },
      ],
    ],
    [
      "fleets: [rack-1]\ngroups: [{replicas: 1, image: x, fleets: [rack-2]}]",
      "groups.0.fleets",
      [{ project: null, name: "rack-2" }],
    ],
  ],
  refused: [
    ["image: a b", 4, "`a b` is no container image"],
    ["python: 3.8\ncommands: [a]", 4, "Python `3.8` is not one of", '`"3.12"`'],
    ["image: x\npython: 3.12", 5, "`python` and `image` exclude each other"],
    ["image: x\ndocker: true", 5, "`docker` and `image` exclude each other"],
    ["docker: true\nnvcc: true\ncommands: [a]", 4, "`docker` and `nvcc` exclude each other"],
    ["docker: true\nprivileged: false\ncommands: [a]", 5, "remove `privileged: false`"],
    ["image: x\ngroups: [{replicas: 1, image: y}]", 5, "on the service and on this group"],
    ["image: x\ngroups: [{replicas: 1, nvcc: true}]", 5, "`nvcc` of this group and `image` of the service"],
    ["groups: [{replicas: 1, image: x, python: 3.12}]", 4, "exclude each other"],
    [
      "spot_policy: spot\ngroups: [{replicas: 1, image: x, spot_policy: auto}]",
      5,
      "`spot_policy` stands on the service and",
    ],
    ["reservation: a\ngroups: [{replicas: 1, image: x, reservation: b}]", 5, "`reservation` stands on the service and"],
    ["registry_auth: {username: u}", 4, "`password` is missing"],
    ["registry_auth: {username: u, password: true}", 4, "quotes"],
    ["registry_auth: token", 4, "a mapping belongs"],
  ],
  notes: [["image: x"], ["docker: false\ncommands: [a]"], ["groups: [{replicas: 1, commands: [a], privileged: true}]"]],
};
