import { expect, test } from "vitest";
import { resolveJobUser } from "./job-user.ts";

const isRoot = process.getuid?.() === 0;

test("`same` runs jobs as the agent", async () => {
  expect(await resolveJobUser("same")).toBeNull();
});

test("a user that does not exist is refused with what to do", async () => {
  await expect(resolveJobUser("no-such-user-here")).rejects.toThrow(
    'there is no user "no-such-user-here" on this host; make it, or say `same` to run jobs as the agent',
  );
});

test.runIf(isRoot)("root may name any user, and itself", async () => {
  const user = await resolveJobUser("nobody");
  expect(user).toMatchObject({ name: "nobody", uid: expect.any(Number), gid: expect.any(Number) });
  expect(user?.uid).toBeGreaterThan(0);
  expect(await resolveJobUser("root")).toBeNull();
});

test.runIf(isRoot)("without an option root uses the default user where it exists", async () => {
  expect(await resolveJobUser(null, "nobody")).toEqual(await resolveJobUser("nobody"));
});

test.skipIf(isRoot)("an agent that is not root runs jobs as itself, and says so when asked for another", async () => {
  expect(await resolveJobUser(null)).toBeNull();
  await expect(resolveJobUser("nobody")).rejects.toThrow(/only run as "nobody" when the agent runs as root/);
});
