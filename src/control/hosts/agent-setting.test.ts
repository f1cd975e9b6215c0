import { expect, test } from "vitest";
import { agentSetting } from "./agent-setting.ts";

const BUILD = "0f".repeat(32);

test("the address of an archive says which build hosts get, and from which folder", () => {
  expect(agentSetting({ HEADRACE_AGENT_URL: `https://d.example/agents/${BUILD}.tar.gz` })).toEqual({
    server: BUILD,
    kept: [],
    from: "https://d.example/agents",
  });
});

test("without it hosts keep what they have", () => {
  for (const env of [{}, { HEADRACE_AGENT_URL: "" }]) expect(agentSetting(env).server).toBe(null);
});

test.each([
  "https://d.example/agents",
  `ftp://d.example/${BUILD}.tar.gz`,
  `https://d.example/${BUILD.slice(1)}.tar.gz`,
])("%s is refused with what to write", (url) => {
  expect(() => agentSetting({ HEADRACE_AGENT_URL: url })).toThrowError(/is no address of an agent: write it as/);
});
