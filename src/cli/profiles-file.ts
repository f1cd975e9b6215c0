import { access } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readConfig } from "./config-file.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import type { Io } from "./io.ts";

/** Where profiles lie, below a folder. */
const PROFILES = join(".dstack", "profiles.yml");

export interface ProfilesFile {
  text: string;
  file: string;
  /** The one to use; null: the default one, if any. */
  name: string | null;
}

/**
 * The file of profiles for a configuration: the nearest of its folder and the folders around it up to the root of its git
 * repository, else the one in the user's home.
 * @throws CliError when one is asked for by name and there is no file
 */
export async function findProfiles(io: Io, config: string, name: string | null): Promise<ProfilesFile | null> {
  const folders = await searched(config === "-" ? "." : dirname(config), io.env.HOME);
  for (const folder of folders) {
    const file = join(folder, PROFILES);
    if (await exists(file)) return { text: await readConfig(io, file), file, name };
  }
  if (name === null) return null;
  const places = folders.map((folder) => join(folder, PROFILES)).join(", ");
  throw new CliError(EXIT.usage, `There is no file with the profile ${name}: looked for ${places}.`);
}

/**
 * Outside of a repository the folders around are not looked at: who else may write there may not decide what is applied.
 */
async function searched(start: string, home: string | undefined): Promise<string[]> {
  const around: string[] = [];
  let inRepository = false;
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    around.push(folder);
    inRepository = await exists(join(folder, ".git"));
    if (inRepository || dirname(folder) === folder) break;
  }
  const folders = inRepository ? around : around.slice(0, 1);
  return [...new Set([...folders, ...(home === undefined ? [] : [resolve(home)])])];
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
