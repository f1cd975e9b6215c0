import { lstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { FILE_BYTES_MAX } from "../wire/index.ts";
import { EXIT } from "./exit-codes.ts";
import { CliError } from "./failure.ts";
import { type IgnoreRule, readIgnoreRules, verdictOf } from "./ignore-rules.ts";

/** Files and folders below one that is sent along. */
const ENTRIES_MAX = 2_000;
/** No folder of code is as deep as this. */
const DEPTH_MAX = 32;
/** An ignore file is written by people; one that is larger is another file. */
const IGNORE_BYTES_MAX = 256 * 1024;
/** Not part of what a person means by a folder. */
const GIT = ".git";
/** What leaves files out. A word of the second goes before any of the first, whichever folders they lie in. */
const IGNORE_FILES = [".gitignore", ".dstackignore"] as const;

/** What of a file or folder travels. */
export interface Listing {
  /** Itself first, as "", then everything below as paths relative to it, in the order of their characters' codes. */
  names: string[];
  /** What a person might not expect: one sentence each. */
  notes: string[];
}

/** The rules of one folder. */
interface Level {
  folder: string;
  /** In the order of `IGNORE_FILES`. */
  rules: IgnoreRule[][];
}

/** A file or folder on the way down. */
interface Step {
  name: string;
  levels: Level[];
  /** The folders it lies in, without links. */
  around: string[];
}

/**
 * Lists a file or folder. Links count as what they lead to. Below a folder, `.git` stays here, and what a `.gitignore` or
 * `.dstackignore` leaves out: of the folder, of those below it, and of those around it up to the root of its repository.
 * @param source absolute
 * @param shown what the configuration calls it
 * @throws CliError naming what cannot travel, or that it is too much
 */
export function listFiles(source: string, shown: string): Listing {
  const walk = new Walk(source, shown);
  const stats = statSync(source, { throwIfNoEntry: false });
  if (stats === undefined || !isPlain(stats)) {
    const what = stats === undefined ? "is not there" : "is neither a file nor a folder";
    throw new CliError(EXIT.failed, `The file names ${shown} under \`files\`, which ${what}.`);
  }
  walk.take(stats, { name: "", levels: stats.isDirectory() ? levelsAround(source) : [], around: [] });
  return { names: walk.names, notes: walk.notes };
}

class Walk {
  readonly names: string[] = [];
  readonly notes: string[] = [];
  readonly #source: string;
  readonly #shown: string;
  #bytes = 0;

  constructor(source: string, shown: string) {
    this.#source = source;
    this.#shown = shown;
  }

  take(stats: Stats, { name, levels, around }: Step): void {
    if (this.names.push(name) > ENTRIES_MAX || around.length > DEPTH_MAX) {
      throw new CliError(
        EXIT.failed,
        `${this.#shown} holds more than ${ENTRIES_MAX} files, or folders more than ${DEPTH_MAX} deep.`,
        "Name the parts that the service needs, leave the rest out in a .gitignore or .dstackignore, or put them into its image or a volume.",
      );
    }
    if (!stats.isDirectory()) {
      this.#bytes += stats.size;
      if (this.#bytes > FILE_BYTES_MAX) throw tooLarge(this.#shown, this.#bytes);
      return;
    }
    const path = join(this.#source, name);
    const real = realpathSync(path);
    if (around.includes(real)) {
      throw new CliError(
        EXIT.failed,
        `${join(this.#shown, name)} is a link to a folder that it lies in: it has no end.`,
      );
    }
    const inside = [...levels, levelOf(path)];
    for (const child of readdirSync(path).sort()) {
      if (child !== GIT) this.#look({ name: join(name, child), levels: inside, around: [...around, real] });
    }
  }

  #look(step: Step): void {
    const path = join(this.#source, step.name);
    const shown = join(this.#shown, step.name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) throw vanished(shown);
    const isLink = found.isSymbolicLink();
    const stats = isLink ? statSync(path, { throwIfNoEntry: false }) : found;
    if (isLeftOut(path, stats?.isDirectory() ?? false, step.levels)) return;
    if (stats === undefined) this.notes.push(`${shown} does not travel: it is a link that leads nowhere`);
    else if (!isPlain(stats)) this.notes.push(`${shown} does not travel: it is neither a file nor a folder`);
    else {
      if (isLink) this.#noteWhereTo(path, shown);
      this.take(stats, step);
    }
  }

  /** A repository of somebody else's could have a link to what nobody means to send. */
  #noteWhereTo(path: string, shown: string): void {
    const real = realpathSync(path);
    const root = realpathSync(this.#source);
    if (!`${real}${sep}`.startsWith(`${root}${sep}`)) {
      this.notes.push(`${shown} is a link out of ${this.#shown}: what travels is ${real}`);
    }
  }
}

function isPlain(stats: Stats): boolean {
  return stats.isFile() || stats.isDirectory();
}

/** A rule of the folder nearest to it that speaks of it counts. */
function isLeftOut(path: string, isFolder: boolean, levels: readonly Level[]): boolean {
  for (const kind of [...IGNORE_FILES.keys()].reverse()) {
    for (const { folder, rules } of [...levels].reverse()) {
      const verdict = verdictOf(rules[kind] as IgnoreRule[], relative(folder, path), isFolder);
      if (verdict !== null) return verdict === "left out";
    }
  }
  return false;
}

/**
 * The rules of the folders around one, outermost first. Outside of a repository they do not count: who else may write
 * there may not decide what travels.
 */
function levelsAround(source: string): Level[] {
  const around: string[] = [];
  for (let folder = resolve(source); !hasGit(folder); folder = dirname(folder)) {
    if (dirname(folder) === folder) return [];
    around.push(dirname(folder));
  }
  return around.reverse().map(levelOf);
}

function hasGit(folder: string): boolean {
  return lstatSync(join(folder, GIT), { throwIfNoEntry: false }) !== undefined;
}

function levelOf(folder: string): Level {
  return { folder, rules: IGNORE_FILES.map((file) => readIgnoreRules(ignoreText(join(folder, file)))) };
}

function ignoreText(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile()) return "";
  if (stats.size <= IGNORE_BYTES_MAX) return readFileSync(file, "utf8");
  throw new CliError(EXIT.failed, `${file} has more than ${IGNORE_BYTES_MAX} bytes; it is no list of names to ignore.`);
}

function vanished(shown: string): CliError {
  // Node reads a name that is no UTF-8 with this character in it, under which it is not found.
  const why = shown.includes("\uFFFD") ? "has a name that is not UTF-8; rename it" : "went away while it was read";
  return new CliError(EXIT.failed, `${shown} ${why}.`);
}

export function tooLarge(shown: string, bytes: number): CliError {
  return new CliError(
    EXIT.failed,
    `${shown} has ${bytes} bytes or more; ${FILE_BYTES_MAX} are the most that one entry of \`files\` may have.`,
    "Leave out what is not needed in a .gitignore or .dstackignore, put it into the service's image or a volume, or fetch it in a command.",
  );
}
