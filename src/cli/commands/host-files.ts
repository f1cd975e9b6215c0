import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InstallFiles } from "../../install/install-files.ts";
import { ownBundle } from "../../install/own-bundle.ts";
import { type AddCommand, note, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { CliError } from "../failure.ts";

interface FilesFlags {
  out: string;
  nodeUrl?: string;
}

export const addFiles: AddCommand = (host, { io }) => {
  host
    .command("files")
    .description("Write what agents are installed from into a folder, to serve it where the server does not")
    .requiredOption("--out <folder>", "where to; made if it is missing")
    .option("--node-url <url>", "where hosts get Node, with {arch} in it, in place of this machine's own")
    .addHelpText(
      "after",
      "\nServe the folder at some address as plain files, and name that address with `headrace host join --from`.\n" +
        "\nExamples:\n  headrace host files --out headrace-install",
    )
    .action(async ({ out, nodeUrl }: FilesFlags) => {
      const bundle = ownBundle();
      if (bundle === null) {
        throw new CliError(EXIT.failed, "This runs from its sources, without a bundle of the agent.", FROM_BUNDLE);
      }
      const { execPath: path, platform, arch } = process;
      const files = new InstallFiles({ bundle, node: { path, platform, arch }, nodeUrl: nodeUrl ?? null });
      await mkdir(out, { recursive: true });
      // The script last: it is what others are found by.
      for (const [name, file] of await files.all()) {
        await writeWhole(join(out, name), file.open());
        printLine(io, name);
      }
      const { sha256 } = await files.agent();
      note(io, `For HEADRACE_AGENT_URL of a Worker: the address of ${sha256}.tar.gz there.`);
      note(io, `Written to ${out}. Earlier files there may be fetched still; remove them after a while.`);
    });
};

const FROM_BUNDLE = "Start it with bin/headrace.js, in a checkout that can be written.";

/** Whoever fetches it meanwhile gets it whole, or as it was. */
async function writeWhole(path: string, content: Uint8Array | Readable): Promise<void> {
  const partial = `${path}.${process.pid}`;
  try {
    await pipeline(content instanceof Readable ? content : Readable.from([content]), createWriteStream(partial));
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}
