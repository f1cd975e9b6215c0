import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cgroupIsPopulated, cgroupOutOfMemoryKills, cgroupPids, findOwnCgroup } from "./cgroup.ts";

const mount = (root: string, point: string, type: string) =>
  `36 25 0:31 ${root} ${point} rw,nosuid shared:9 - ${type} ${type} rw`;

test.each([
  [
    "a v2 host under systemd",
    mount("/", "/sys/fs/cgroup", "cgroup2"),
    "0::/system.slice/agent.service",
    "/sys/fs/cgroup/system.slice/agent.service",
  ],
  [
    "a hybrid host, in the root group",
    `${mount("/", "/sys/fs/cgroup/memory", "cgroup")}\n${mount("/", "/sys/fs/cgroup/unified", "cgroup2")}`,
    "4:memory:/x\n0::/",
    "/sys/fs/cgroup/unified/",
  ],
  [
    "a container that sees only its part",
    mount("/docker/ab", "/sys/fs/cgroup", "cgroup2"),
    "0::/docker/ab/inner",
    "/sys/fs/cgroup/inner",
  ],
  ["a group outside of what is mounted", mount("/docker/ab", "/sys/fs/cgroup", "cgroup2"), "0::/docker/abc", null],
  ["a group outside of the namespace", mount("/", "/sys/fs/cgroup", "cgroup2"), "0::/../other", null],
  ["a v1 host", mount("/", "/sys/fs/cgroup/memory", "cgroup"), "4:memory:/x", null],
])("our own group is found on %s", (_, mountinfo, selfCgroup, expected) => {
  expect(findOwnCgroup(`${mountinfo}\n`, `${selfCgroup}\n`)).toBe(expected);
});

test("processes that were killed for want of memory are counted where the kernel counts them", () => {
  const group = mkdtempSync(join(tmpdir(), "headrace-cgroup-"));
  expect(cgroupOutOfMemoryKills(group)).toBe(0);
  writeFileSync(join(group, "memory.events"), "low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\noom_group_kill 0\n");
  expect(cgroupOutOfMemoryKills(group)).toBe(1);
  rmSync(group, { recursive: true });
});

test("a group that is gone is empty", () => {
  expect(cgroupIsPopulated("/sys/fs/cgroup/no-such-group")).toBe(false);
  expect(cgroupPids("/sys/fs/cgroup/no-such-group")).toEqual([]);
});
