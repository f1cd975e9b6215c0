import { expect, test } from "vitest";
import { parseConfig } from "../spec/index.ts";
import { endpointLines } from "./endpoint-lines.ts";

function linesOf(text: string, program = "headrace"): string[] {
  const parsed = parseConfig(`type: service\nname: chat\nport: 8000\n${text}`, "chat.yml");
  if (!parsed.ok || parsed.type !== "service") throw new Error("not a service");
  return endpointLines("http://h.test", { url: "/proxy/services/main/chat/" }, parsed.spec, program);
}

const TOKEN = '-H "Authorization: Bearer $(headrace token show)"';

test("what has no model is asked for its first page", () => {
  expect(linesOf("commands: [serve]")).toEqual([
    "Endpoint: http://h.test/proxy/services/main/chat",
    "Try it:",
    `  curl http://h.test/proxy/services/main/chat/ ${TOKEN}`,
  ]);
});

test("behind a router only what an engine serves can be asked for", () => {
  const groups =
    "groups: [{name: front, count: 1, router: {type: sglang}, commands: [smg]}, {name: back, count: 1, commands: [serve]}]";
  expect(linesOf(groups)[2]).toBe(`  curl http://h.test/proxy/services/main/chat/v1/models ${TOKEN}`);
});

test("an open service needs no token, and npx is named where it was used", () => {
  expect(linesOf("auth: false\ncommands: [serve]")[2]).toBe("  curl http://h.test/proxy/services/main/chat/");
  expect(linesOf("commands: [serve]", "npx headrace")[2]).toContain("$(npx headrace token show)");
});
