import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { ROOT } from "../../scripts/bootstrap.js";
import { makeRootFolder } from "./dockerd.ts";

/** What no engine or router imports, and is most of Python. */
const NOT_NEEDED = ["site-packages", "test", "idlelib", "tkinter", "lib2to3", "ensurepip", "turtledemo"];

/** What containers of the image find: the programs that stand in for others, and engines that start ten times as fast. */
export const ENGINE_IMAGE_SETTINGS = ["ENV PATH=/usr/local/bin:/usr/bin:/bin", 'ENV ENGINE_SIM_ARGS="--sim-speed 10"'];

/**
 * Fills a folder with what the images of SGLang have that services rely on: a shell, Python, `python3 -m
 * sglang.launch_server` (the simulated engine, with a Node of its own), pip and the real `smg`.
 *
 * @param pythonBin of the environment that has the router
 */
export async function makeEngineRoot(folder: string, pythonBin: string): Promise<void> {
  makeRootFolder(folder, { shell: true });
  const python = join(pythonBin, "python3");
  const [base, stdlib] = execFileSync(
    python,
    ["-c", "import sys, sysconfig; print(sys.base_prefix); print(sysconfig.get_paths()['stdlib'])"],
    { encoding: "utf8" },
  )
    .trim()
    .split("\n") as [string, string];
  const environment = dirname(pythonBin);
  const binary = realpathSync(python);
  copyInto(folder, stdlib, (path) => !NOT_NEEDED.includes(relative(stdlib, path).split("/")[0] ?? ""));
  copyInto(folder, environment);
  for (const name of [binary, join(base, "bin/python3")]) copyInto(folder, name);
  await bundleEngine(folder);
  copyInto(folder, join(ROOT, "agents/engine-sim/python"));
  mkdirSync(join(folder, "usr/local/bin"), { recursive: true });
  cpSync(realpathSync(process.execPath), join(folder, "usr/local/bin/node"));
  for (const name of ["python", "python3", "pip", "smg"]) {
    const script = name.startsWith("python") ? `exec ${python} "$@"` : `exec ${python} ${join(pythonBin, name)} "$@"`;
    writeFileSync(join(folder, "usr/local/bin", name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "usr/local/bin", name), 0o755);
  }
  copyLibraries(folder);
}

/** In one file, where `sglang.launch_server` looks for it. */
async function bundleEngine(folder: string): Promise<void> {
  const engine = join(folder, ROOT, "agents/engine-sim");
  mkdirSync(engine, { recursive: true });
  writeFileSync(join(engine, "package.json"), '{"type": "module"}');
  await build({
    absWorkingDir: ROOT,
    entryPoints: ["agents/engine-sim/main.ts"],
    outfile: join(engine, "launch.js"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    legalComments: "none",
    logLevel: "silent",
  });
}

/** To the same place below the folder, links and all. */
function copyInto(folder: string, path: string, filter: (path: string) => boolean = () => true): void {
  const target = join(folder, path);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(dirname(target), { recursive: true });
  cpSync(path, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => !from.endsWith("__pycache__") && filter(from),
  });
}

/** Those that any program or module in the folder is linked with. */
function copyLibraries(folder: string): void {
  const linked = execFileSync(
    "sh",
    ["-c", 'find . -type f \\( -name "*.so*" -o -perm -100 \\) -exec ldd {} + 2>/dev/null || true'],
    { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  const libraries = new Set([...linked.matchAll(/(?:=>\s+|^\s+)(\/\S+)\s+\(/gm)].map((match) => match[1] as string));
  for (const path of libraries) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(path), { mode: 0o755 });
  }
}
