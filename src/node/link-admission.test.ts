import { expect, test } from "vitest";
import { LINKS_OPENING_MAX, LINKS_RETURNING_PER_S, RETRY_LINK_S_MAX } from "./limits.ts";
import { LinkAdmission } from "./link-admission.ts";

/** One whose places are all taken. */
function full(now = () => 0): LinkAdmission {
  const admission = new LinkAdmission(now);
  for (let i = 0; i < LINKS_OPENING_MAX; i += 1) expect(admission.enter()).toBeNull();
  return admission;
}

test("there are so many places at a time, and one that is given back is the next one's", () => {
  const admission = full();
  expect(admission.enter()).not.toBeNull();
  admission.leave();
  expect(admission.enter()).toBeNull();
  expect(admission.enter()).not.toBeNull();
});

test("those who find none are spread over the seconds that follow, as many in each as can be let in", () => {
  const admission = full();
  const told = Array.from({ length: 3 * LINKS_RETURNING_PER_S }, () => admission.enter());
  for (const second of [1, 2, 3]) expect(told.filter((each) => each === second)).toHaveLength(LINKS_RETURNING_PER_S);
});

test("nobody is told to wait for longer than the bound, however many come", () => {
  const admission = full();
  let told: number | null = 0;
  for (let i = 0; i < (RETRY_LINK_S_MAX + 5) * LINKS_RETURNING_PER_S; i += 1) told = admission.enter();
  expect(told).toBe(RETRY_LINK_S_MAX);
});

test("what was booked is over with its time", () => {
  let now = 0;
  const admission = full(() => now);
  for (let i = 0; i < 3 * LINKS_RETURNING_PER_S; i += 1) admission.enter();
  now = 60_000;
  expect(admission.enter()).toBe(1);
});
