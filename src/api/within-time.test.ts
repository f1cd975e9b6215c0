import { expect, test } from "vitest";
import { createApp } from "./app.ts";
import { FakeControl, TOKENS } from "./testing/fake-control.ts";

const KEY = "0123456789abcdef";
const headers = { authorization: `Bearer ${TOKENS.admin}`, "content-type": "application/json", "idempotency-key": KEY };

test("a change whose commit nobody confirms is refused in time, goes on, and answers who repeats it", async () => {
  let written: () => void = () => undefined;
  const confirmed = new Promise<void>((resolve) => {
    written = resolve;
  });
  const control = new FakeControl();
  const stop = control.stop.bind(control);
  control.stop = async (...args) => {
    await confirmed;
    return stop(...args);
  };
  const app = createApp(control, { version: "0", report: () => {}, answerWithinMs: 20 });
  const ask = () => app.request("/api/projects/main/services/chat/stop", { method: "POST", headers });

  const late = await ask();
  expect(late.status).toBe(503);
  expect(late.headers.get("retry-after")).toBe("1");
  const { error } = (await late.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("unavailable");
  expect(error.message).toContain("repeat it under the same idempotency key");
  expect(control.changes).toEqual([]);

  written();
  expect((await ask()).status).toBe(200);
  expect(control.changes).toEqual(Array(2).fill({ what: "stop", subject: "chat", key: KEY }));
});
