import type { parseConfig } from "../../spec/index.ts";

/**
 * Reads a file as `parseConfig` does. A Worker makes the language with the first file that comes, since its many schemas
 * take a part of the time in which it starts, and most of its lives see none. On Node it is there already.
 */
export async function readConfig(...file: Parameters<typeof parseConfig>): Promise<ReturnType<typeof parseConfig>> {
  const language = await import("../../spec/parse.ts");
  return language.parseConfig(...file);
}
