import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { resolveJobUser } from "./job-user.ts";

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)("root makes the default user when it is missing, once, without a home or a login", async () => {
  const name = `headrace-test-${process.pid}`;
  try {
    const made = await Promise.all(Array.from({ length: 4 }, () => resolveJobUser(null, name)));
    expect(made).toEqual(Array(4).fill(made[0]));
    expect(made[0]).toMatchObject({ name, uid: expect.any(Number) });
    const entry = execFileSync("getent", ["passwd", name], { encoding: "utf8" }).trim().split(":");
    expect(entry.slice(5)).toEqual(["/nonexistent", "/usr/sbin/nologin"]);
    expect(await resolveJobUser(name)).toEqual(made[0]);
  } finally {
    execFileSync("/usr/sbin/userdel", [name]);
  }
});
