import { openProcessRuntime } from "../../../agents/host/runtime/process/process-runtime.ts";
import type { StartSpec } from "../../../agents/host/runtime/types.ts";

/** The part of an agent that starts a job; the test kills it on the way. */
const [dataDir = "", cgroups = "", spec = ""] = process.argv.slice(2);
const runtime = await openProcessRuntime({ dataDir, user: null, cgroups: cgroups === "true" });
process.stdout.write("begin\n");
await runtime.start(JSON.parse(spec) as StartSpec);
process.stdout.write("started\n");
setInterval(() => {}, 1000);
