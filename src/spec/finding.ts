import type { Path } from "./yaml/node.ts";

/** Something wrong at a path of the file, before the path is turned into a line and column. */
export interface Finding {
  path: Path;
  /** Whether the key itself is wrong or what it was given. */
  at: "key" | "value";
  message: string;
}
