import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { explained } from "./wrangler-failure.ts";

const SAID = [
  " \u26c5\ufe0f wrangler 4.164.0",
  "\u2500\u2500\u2500\u2500\u2500\u2500",
  "\u001b[31m\u2718 [ERROR] A request to the Cloudflare API failed.\u001b[0m",
  "  the-token is not welcome [code: 10000]",
  "\u{1fab5}  Logs were written to /home/someone/log",
].join("\n");

test("a failure is told with what to do, in wrangler's own words, without decoration and secrets", () => {
  expect(explained(1, SAID, ["the-token"]).message).toBe(
    "Cloudflare refuses the login, or it may not do this. An API token needs the permissions of the template " +
      '"Edit Cloudflare Workers" for this account; an old login is renewed by `npx wrangler login`. It said:\n' +
      "  \u2718 [ERROR] A request to the Cloudflare API failed.\n  *** is not welcome [code: 10000]",
  );
});

test("what is not known is told with the exit code", () => {
  expect(explained(7, "boom", []).message).toBe("wrangler ended with exit code 7. It said:\n  boom");
});

test("its source is plain ASCII: esbuild spoils other characters of a pattern, and with it the whole bundle", () => {
  expect(readFileSync(new URL("wrangler-failure.ts", import.meta.url), "utf8")).toMatch(/^\p{ASCII}*$/u);
});
