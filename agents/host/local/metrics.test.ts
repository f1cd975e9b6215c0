import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseExposition } from "../../engine-sim/testing/strict-exposition.ts";
import { expose } from "./exposition.ts";
import { agentMetrics } from "./metrics.ts";
import { agentView } from "./testing/agent-view.ts";

const text = (fields = {}) => expose(agentMetrics(agentView(fields)));
const value = (line: string, fields = {}) =>
  text(fields)
    .split("\n")
    .find((each) => each.startsWith(`${line} `))
    ?.slice(line.length + 1);

test("is what a strict reader of Prometheus's format takes", () => {
  expect(parseExposition(text()).value("headrace_agent_jobs", { state: "ready" })).toBe(1);
});

test("tells how the agent does", () => {
  expect(value('headrace_agent_build_info{version="0.1.0",node="24.21.0"}')).toBe("1");
  expect(value("headrace_agent_links_opened_total")).toBe("2");
  expect(value("headrace_agent_sync_seconds_sum")).toBe("2.5");
  expect(value("headrace_agent_sync_seconds_count")).toBe("1080");
  expect(value('headrace_agent_jobs{state="backoff"}')).toBe("1");
  expect(value('headrace_agent_jobs{state="quiescing"}')).toBe("0");
  expect(value("headrace_agent_job_restarts_total")).toBe("2");
  expect(value("headrace_agent_probes_failed_total")).toBe("30");
  expect(value('headrace_agent_link_bytes_total{direction="sent"}')).toBe("42000000");
  expect(value('headrace_agent_runtime_usable{runtime="docker"}')).toBe("0");
  expect(value('headrace_host_accelerators{health="unwell"}')).toBe("1");
  expect(value("headrace_host_disk_free_bytes")).toBe("812000000000");
});

test("leaves out what is not known", () => {
  const unknown = text({ inventory: null, disk: null });
  expect(unknown).not.toContain("headrace_host_accelerators");
  expect(unknown).not.toContain("headrace_host_disk");
});

test("keeps a label's value within its quotes", () => {
  const samples = [{ labels: { a: 'x"} 1\n\\' }, value: Number.POSITIVE_INFINITY }];
  expect(expose([{ name: "n", type: "gauge", help: "two\nlines", samples }])).toBe(
    '# HELP n two\\nlines\n# TYPE n gauge\nn{a="x\\"} 1\\n\\\\"} +Inf\n',
  );
});

test("has what docs/hosts.md tells of, and nothing else", async () => {
  const page = await readFile(new URL("../../../docs/hosts.md", import.meta.url), "utf8");
  const told = [...page.matchAll(/`((?:headrace_(?:agent|host)|process)_\w+)/g)].map(([, name]) => name);
  expect(told.sort()).toEqual(
    agentMetrics(agentView())
      .map(({ name }) => name)
      .sort(),
  );
});
