import * as z from "zod";
import { readContainerPath, readFile, readLocalPath } from "../grammar/file.ts";
import type { FileSpec } from "../types.ts";
import { mapping, required, textOf } from "./fields.ts";

/** A file or folder of whoever applies that replicas get. */
export const file = z.union([
  textOf(readFile),
  mapping("file", {
    local_path: required(textOf(readLocalPath), {
      description: "Where it is now, from the configuration's own folder",
      examples: ["./config.json"],
    }),
    path: required(textOf(readContainerPath), {
      description: "Where the replica finds it",
      examples: ["/app/config.json"],
    }),
  }).transform(({ local_path, path }): FileSpec => ({ localPath: local_path, path })),
]);
