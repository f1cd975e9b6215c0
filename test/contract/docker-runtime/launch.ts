import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StartSpec } from "../../../agents/host/runtime/types.ts";
import { type Dockerd, makeRootFolder } from "../../support/dockerd.ts";

/** An image with busybox and bash. */
export const SMALL_IMAGE = "test/small:1";
/** The same without any shell. */
export const NO_SHELL_IMAGE = "test/no-shell:1";

export async function importImage(dockerd: Dockerd, reference: string, options: { shell: boolean }): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "headrace-root-"));
  makeRootFolder(root, options);
  // No two have the same layer: an engine pulls what it does not have.
  writeFileSync(join(root, "etc/image"), reference);
  await dockerd.importImage(reference, root);
  rmSync(root, { recursive: true });
}

/** What a launch in a container says more; the folder is in the container under its own path. */
export function dockerLaunch(
  folder: string,
  more: Partial<NonNullable<StartSpec["launch"]["container"]>> = {},
): Pick<StartSpec["launch"], "runtime" | "container"> {
  return {
    runtime: "docker",
    container: {
      image: SMALL_IMAGE,
      registryAuth: null,
      command: { kind: "shell" },
      user: null,
      privileged: false,
      shmBytes: null,
      volumes: [{ source: folder, target: folder, optional: false }],
      ...more,
    },
  };
}
