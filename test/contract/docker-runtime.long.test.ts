import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { containerBody } from "../../agents/host/runtime/docker/container-spec.ts";
import { openDockerRuntime } from "../../agents/host/runtime/docker/docker-runtime.ts";
import type { StartSpec } from "../../agents/host/runtime/types.ts";
import { Dockerd } from "../support/dockerd.ts";
import { PLAIN_HOST } from "../support/fake-hosts.ts";
import { dockerLaunch, importImage, SMALL_IMAGE } from "./docker-runtime/launch.ts";
import { runtimeContract } from "./runtime.ts";
import { bytesUnder, killedOnItsWay } from "./runtime-help.ts";

const AGENT = fileURLToPath(new URL("./docker-runtime/agent.ts", import.meta.url));

let dockerd: Dockerd;

beforeAll(async () => {
  dockerd = await Dockerd.start();
  await importImage(dockerd, SMALL_IMAGE, { shell: true });
});

afterAll(() => dockerd?.[Symbol.asyncDispose]());

/** Tests run one at a time: what there is is theirs. */
const jobContainers = async () =>
  (await dockerd.containers()).filter(({ Names }) => Names.some((name) => name.startsWith("/headrace-")));

runtimeContract("containers of a Docker engine", {
  open: (dataDir) =>
    openDockerRuntime({
      dataDir,
      socket: dockerd.socket,
      expected: true,
      body: async (spec: StartSpec) => containerBody(spec, PLAIN_HOST),
    }),
  startAndDie: async (dataDir, started, afterMs) => {
    const agent = spawn(process.execPath, [AGENT, dataDir, dockerd.socket, JSON.stringify(started)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await killedOnItsWay(agent, afterMs);
  },
  launch: (dataDir) => dockerLaunch(dataDir),
  left: async (dataDir) => [
    ...readdirSync(join(dataDir, "containers"), { withFileTypes: true }).map(({ name }) => name),
    ...(await jobContainers()).flatMap(({ Names, State }) => `${Names[0]} ${State}`),
  ],
  logBytes: async () => {
    const folders = (await jobContainers()).map(({ Id }) => join(dockerd.folder, "data/containers", Id));
    return folders.reduce((sum, folder) => sum + bytesUnder(folder, (name) => name.includes("-json.log")), 0);
  },
  startTakesMs: 800,
});
