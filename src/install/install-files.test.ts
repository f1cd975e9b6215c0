import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NODE_VERSION } from "../../scripts/bootstrap.js";
import { InstallFiles } from "./install-files.ts";
import { isKnownArch, PINNED_VERSION, pinnedNode } from "./pinned-node.ts";

let bundle: string;
beforeEach(() => {
  bundle = mkdtempSync(join(tmpdir(), "headrace-files-"));
  for (const name of ["agent.cjs", "supervisor.cjs", "headrace.cjs"]) writeFileSync(join(bundle, name), `// ${name}\n`);
  writeFileSync(join(bundle, "node"), "a small Node");
});
afterEach(() => rmSync(bundle, { recursive: true, force: true }));

const node = () => ({ path: join(bundle, "node"), platform: "linux", arch: "x64" });
const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

async function contents(sources: Partial<ConstructorParameters<typeof InstallFiles>[0]> = {}) {
  const files = await new InstallFiles({ bundle, node: node(), nodeUrl: null, ...sources }).all();
  const read = [...files].map(async ([name, file]) => {
    const content = file.open();
    return [name, content instanceof Uint8Array ? content : await bytesOf(content)] as const;
  });
  const all = new Map(await Promise.all(read));
  return { all, script: new TextDecoder().decode(all.get("install.sh")) };
}

async function bytesOf(stream: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

it("gives what is named by its checksum, and a script that names it", async () => {
  const { all, script } = await contents();
  const own = sha256(Buffer.from("a small Node"));
  const agent = [...all.keys()].find((name) => name.endsWith(".tar.gz")) ?? "";
  expect([...all.keys()]).toEqual([agent, `${own}.gz`, "install.sh"]);
  expect(agent).toBe(`${sha256(all.get(agent) as Uint8Array)}.tar.gz`);
  expect(gunzipSync(all.get(`${own}.gz`) as Uint8Array).toString()).toBe("a small Node");
  expect(script).toContain(`agent_sha256=${agent.slice(0, 64)}\n`);
  expect(script).toContain(`x86_64|amd64) node_sha256=${own} node_url='' ;;`);
  const listed = spawnSync("tar", ["-tz"], { input: all.get(agent), encoding: "utf8" });
  expect(listed.stdout).toBe("agent.cjs\nsupervisor.cjs\n");
});

it("gives the same agent under the same name whenever it is packed", async () => {
  const names = async () => [...(await contents()).all.keys()];
  expect(await names()).toEqual(await names());
});

it("sends hosts of another kind, and those of a server that is no Linux, to where Node is distributed", async () => {
  const { script } = await contents();
  const far = pinnedNode("arm64", "https://registry.npmjs.org/node-linux-{arch}/-/node-linux-{arch}-{version}.tgz");
  expect(script).toContain(`aarch64|arm64) node_sha256=${far.sha256} node_url='${far.url}' ;;`);
  const { all, script: ofMac } = await contents({ node: { ...node(), platform: "darwin" } });
  expect([...all.keys()]).toHaveLength(2);
  expect(ofMac.match(/node_url='https:/g)).toHaveLength(2);
});

it("sends all hosts to the place that the operator names", async () => {
  const { all, script } = await contents({ nodeUrl: "https://mirror.test/v{version}/linux-{arch}.tar.gz" });
  expect([...all.keys()]).toHaveLength(2);
  for (const arch of ["x64", "arm64"]) {
    expect(script).toContain(`node_url='https://mirror.test/v${PINNED_VERSION}/linux-${arch}.tar.gz'`);
  }
});

it("pins the Node that the project is tested on", () => {
  expect(PINNED_VERSION).toBe(NODE_VERSION);
});

const isPinnedHere = process.platform === "linux" && process.versions.node === PINNED_VERSION;

it.skipIf(!isPinnedHere)("pins the checksum of the very program that runs this", () => {
  if (!isKnownArch(process.arch)) return;
  expect(pinnedNode(process.arch, "").sha256).toBe(sha256(readFileSync(process.execPath)));
});
