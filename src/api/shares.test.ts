import { expect, test } from "vitest";
import { createApp } from "./app.ts";
import { REQUESTS_PER_PROJECT_MAX } from "./limits.ts";
import { FakeControl, TOKENS } from "./testing/fake-control.ts";

test("a project that has its share of requests under way is refused more, another is not", async () => {
  const control = new FakeControl();
  const unsent: (() => void)[] = [];
  const app = createApp(control, {
    version: "0",
    report: () => {},
    // Nobody reads any answer until the test says so.
    whenSent: (_c, over) => unsent.push(over),
  });
  const me = (token: string) => app.request("/api/me", { headers: { authorization: `Bearer ${token}` } });
  for (let i = 0; i < REQUESTS_PER_PROJECT_MAX; i++) expect((await me(TOKENS.member)).status).toBe(200);

  const refused = await me(TOKENS.admin);
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ error: { code: "too_many" } });
  expect((await me(TOKENS["other-admin"])).status).toBe(200);
  expect((await me("nobody")).status).toBe(401);

  for (const over of unsent) over();
  expect((await me(TOKENS.admin)).status).toBe(200);
});
