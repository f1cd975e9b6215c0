import { describe, expect, it } from "vitest";
import { PAUSE_UNLINKED_MS_MAX, reconnectDelayMs } from "./reconnect.ts";

describe("the pause before dialling again", () => {
  it.each([
    [0, 500, 1_000],
    [29_000, 500, 1_000],
    [60_000, 3_000, 6_000],
    [300_000, 15_000, 30_000],
    [86_400_000, 15_000, 30_000],
  ])("after %i ms without a link is from %i to %i ms", (lostForMs, least, most) => {
    expect(reconnectDelayMs(lostForMs, 0)).toBe(least);
    expect(reconnectDelayMs(lostForMs, 1)).toBe(most);
  });

  it("grows further where the host needs no link to be heard", () => {
    expect(reconnectDelayMs(60_000, 1, PAUSE_UNLINKED_MS_MAX)).toBe(6_000);
    expect(reconnectDelayMs(86_400_000, 1, PAUSE_UNLINKED_MS_MAX)).toBe(300_000);
  });
});
