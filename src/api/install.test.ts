import { expect, test } from "vitest";
import { createApp } from "./app.ts";
import { INSTALL_DOWNLOADS_MAX } from "./limits.ts";
import { FakeControl } from "./testing/fake-control.ts";

const PARTS = { version: "0.0.0-test", report: () => {} };
const folder = async (name: string) =>
  name === "install.sh" ? { type: "text/x-shellscript", open: () => "#!/bin/sh\n" } : null;

test("what agents are installed from is there for everyone", async () => {
  const app = createApp(new FakeControl(), { ...PARTS, install: folder });
  const answer = await app.request("/install/install.sh");
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/x-shellscript"]);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  expect(await answer.text()).toBe("#!/bin/sh\n");
  expect((await app.request("/install/other")).status).toBe(404);
});

test("a server that gives none out says what does", async () => {
  const answer = await createApp(new FakeControl(), PARTS).request("/install/install.sh");
  expect(answer.status).toBe(404);
  expect(await answer.text()).toContain("docs/joining.md");
});

test("no more than a few are sent at a time, and a question for the head alone opens nothing", async () => {
  const sent: (() => void)[] = [];
  let opened = 0;
  const counted = async () => ({
    type: "application/gzip",
    open: () => {
      opened += 1;
      return "node";
    },
  });
  const app = createApp(new FakeControl(), { ...PARTS, install: counted, whenSent: (_, over) => sent.push(over) });
  expect((await app.request("/install/any", { method: "HEAD" })).status).toBe(200);
  expect(opened).toBe(0);
  for (let n = 0; n < INSTALL_DOWNLOADS_MAX; n += 1) expect((await app.request("/install/any")).status).toBe(200);
  expect((await app.request("/install/any")).status).toBe(429);
  sent[0]?.();
  expect((await app.request("/install/any")).status).toBe(200);
  expect(opened).toBe(INSTALL_DOWNLOADS_MAX + 1);
});
