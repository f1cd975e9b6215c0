import { containerBody } from "../../../agents/host/runtime/docker/container-spec.ts";
import { openDockerRuntime } from "../../../agents/host/runtime/docker/docker-runtime.ts";
import type { StartSpec } from "../../../agents/host/runtime/types.ts";
import { PLAIN_HOST } from "../../support/fake-hosts.ts";

/** The part of an agent that starts a job in a container; the test kills it on the way. */
const [dataDir = "", socket = "", spec = ""] = process.argv.slice(2);
const body = async (spec: StartSpec) => containerBody(spec, PLAIN_HOST);
const runtime = await openDockerRuntime({ dataDir, socket, expected: true, body });
process.stdout.write("begin\n");
await runtime.start(JSON.parse(spec) as StartSpec);
process.stdout.write("started\n");
setInterval(() => {}, 1000);
