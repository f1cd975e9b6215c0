import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, realpath, stat, unlink } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { fromBase64Url, toBase64Url } from "../control/bytes.ts";
import { SEALING_KEY_BYTES } from "../control/seal.ts";
import { StartError } from "./start-error.ts";

type Key = Uint8Array<ArrayBuffer>;

/** A key file holds a few lines; anything longer is another file, named by mistake. */
const KEY_FILE_BYTES_MAX = 4096;
const HOW_TO_MAKE = "Make one with: openssl rand -base64 32";

/**
 * The keys that seal secrets, the current one first: those of `HEADRACE_KEY`, separated by commas, else those of the
 * key file, one a line. Where there is neither, a file with a new key is made.
 *
 * @param settings.dataDir the key file is refused inside it
 * @throws StartError when a key is malformed, or the file can be read by others or lies beside what it seals
 */
export async function sealingKeys(settings: {
  key: string | null;
  keyFile: string;
  dataDir: string;
}): Promise<[Key, ...Key[]]> {
  if (settings.key !== null) return parseKeys(settings.key.split(","), "HEADRACE_KEY");
  const { keyFile } = settings;
  try {
    await mkdir(dirname(keyFile), { recursive: true, mode: 0o700 });
    await refuseBesideData(keyFile, settings.dataDir);
    const text = (await readPrivate(keyFile)) ?? (await makeKeyFile(keyFile));
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return parseKeys(lines, `The key file ${keyFile}`);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `The key file ${keyFile} cannot be used (${error instanceof Error ? error.message : String(error)}). ` +
        "Give another with HEADRACE_KEY_FILE, or set HEADRACE_KEY.",
      { cause: error },
    );
  }
}

/** Whoever copies the data folder must not get the key with it. */
async function refuseBesideData(keyFile: string, dataDir: string): Promise<void> {
  const folder = await realpath(dirname(keyFile));
  const data = await realpath(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  // It is not there when the state is in a remote database.
  if (data === null || (folder !== data && !folder.startsWith(data + sep))) return;
  throw new StartError(
    `The key file ${keyFile} lies in the data folder ${dataDir}, so a copy of the data could be opened with it. ` +
      "Move it elsewhere and name it with HEADRACE_KEY_FILE.",
  );
}

/** The file's text; null when there is none. */
async function readPrivate(keyFile: string): Promise<string | null> {
  const found = await stat(keyFile).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (!found) return null;
  if (!found.isFile() || found.size > KEY_FILE_BYTES_MAX) {
    throw new StartError(`${keyFile} is not a key file. Name one with HEADRACE_KEY_FILE.`);
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
    throw new StartError(
      `The key file ${keyFile} can be read or changed by others (mode ${mode}). Run: chmod 600 '${keyFile}'`,
    );
  }
  return readFile(keyFile, "utf8");
}

/**
 * Writes a new key beside its place and links it there, so that the file is whole whenever it is seen, and of two
 * servers that start at once both use the one key.
 */
async function makeKeyFile(keyFile: string): Promise<string> {
  const draft = join(dirname(keyFile), `.key-${randomBytes(6).toString("hex")}`);
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(`${toBase64Url(randomBytes(SEALING_KEY_BYTES))}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, keyFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(draft);
  }
  // A power cut must not take the name away again while what it sealed stays.
  const folder = await open(dirname(keyFile), "r");
  await folder.sync().finally(() => folder.close());
  const text = await readPrivate(keyFile);
  if (text === null)
    throw new StartError(`The key file ${keyFile} was taken away while it was being made. Start again.`);
  return text;
}

function parseKeys(written: string[], where: string): [Key, ...Key[]] {
  const [current, ...older] = written.map((text) => parseKey(text.trim(), where));
  if (!current) throw new StartError(`${where} holds no key. ${HOW_TO_MAKE}`);
  return [current, ...older];
}

/** 32 bytes in hex or either alphabet of base64. The message never shows what was written. */
function parseKey(text: string, where: string): Key {
  const key = /^[0-9a-fA-F]{64}$/.test(text) ? Uint8Array.from(Buffer.from(text, "hex")) : fromBase64(text);
  if (key?.length === SEALING_KEY_BYTES) return key;
  throw new StartError(
    `${where} holds something that is not a key: ${SEALING_KEY_BYTES} bytes in base64 or hex. ${HOW_TO_MAKE}`,
  );
}

function fromBase64(text: string): Key | null {
  try {
    return fromBase64Url(text);
  } catch {
    return null;
  }
}
