import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobEnvironment } from "../../agents/host/environment.ts";
import { buildCommand } from "../../agents/host/runtime/process/command.ts";
import { parseConfig } from "../../src/spec/index.ts";
import { World } from "../support/core-world.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/services.md"), "utf8");

/** A router and workers whose every port may move, as processes. */
const PAIR = `
type: service
name: pair
port: 8000
groups:
  - {name: router, count: 1, router: {type: sglang}, commands: ["smg launch --pd-disaggregation --host $HEADRACE_ADDRESS --port $HEADRACE_PORT --prometheus-port $HEADRACE_METRICS_PORT"]}
  - {name: prefill, count: 1, commands: ["python3 -m sglang.launch_server --model-path m --disaggregation-mode prefill --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT --port $HEADRACE_PORT"]}
  - {name: decode, count: 1, commands: ["python3 -m sglang.launch_server --model-path m --disaggregation-mode decode --port $HEADRACE_PORT"]}
resources: {cpu: 1.., memory: 1GB.., disk: 1GB..}
`;

test("docs/services.md lists every variable that a process is told, and no other", () => {
  const parsed = parseConfig(PAIR, "service.yml", {});
  if (!parsed.ok || parsed.type !== "service") throw new Error(JSON.stringify(parsed));
  const world = new World();
  for (const number of [1, 2, 3]) world.addHost(`cpu-${number}`);
  expect(world.apply(parsed.spec)).toMatchObject({ action: "create" });
  world.settle();
  const names = world.desired("pair").flatMap(({ launch, replica, accelerators, job }) => {
    const host = { address: "10.0.0.1", accelerators: [], nics: [], fabric: null, interface: null, problems: [] };
    const { variables: env } = jobEnvironment({ launch, accelerators }, host, {});
    const spec = { job, replica, attempt: 1, launch, accelerators, env, files: [], logBytesMax: 1 };
    return Object.keys(buildCommand(spec, "/jobs/one", null).env);
  });
  const ours = [...new Set(names)].filter((name) => /^(HEADRACE|DSTACK)_/.test(name));
  expect(ours.sort()).toEqual(listed());
});

/** The variables of the page's table, and their twins of dstack's where a row has them. */
function listed(): string[] {
  const rows = PAGE.matchAll(/^\| (`HEADRACE_\w+`(?:, `HEADRACE_\w+`)*) \| (yes)? *\|/gm);
  const found: string[] = [];
  for (const [, cell = "", twins] of rows) {
    const names = [...cell.matchAll(/HEADRACE_(\w+)/g)].map(([, name = ""]) => name);
    for (const name of names) found.push(`HEADRACE_${name}`, ...(twins ? [`DSTACK_${name}`] : []));
  }
  return found.sort();
}
