import * as z from "zod";
import { ACCELERATORS_MAX, accelerator, inventory } from "../../../src/wire/index.ts";
import { findModel } from "./models.ts";

/**
 * What an operator says a host has, over what is found: for tests and demos on machines without accelerators. What is
 * not declared is found as ever.
 */
export interface Declaration {
  cpus?: number;
  memoryGib?: number;
  diskGib?: number;
  arch?: "x86" | "arm";
  accelerators?: z.infer<typeof accelerator>[];
}

const fileShape = z.strictObject({
  cpus: z.number().positive().optional(),
  memoryGib: z.number().positive().optional(),
  diskGib: z.number().positive().optional(),
  arch: inventory.shape.arch.optional(),
  accelerators: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        memoryGib: z.number().positive().optional(),
        vendor: accelerator.shape.vendor.optional(),
        count: z.int().min(1).max(ACCELERATORS_MAX).default(1),
      }),
    )
    .optional(),
});

const EXAMPLE = "cpu=128,memory=1024,disk=2000,gpu=H200:8";

/** Whether the value of `--declare` is the declaration itself rather than the name of a file. */
export function isInlineDeclaration(value: string): boolean {
  return /^\s*(cpu|memory|disk|arch|gpu)\s*=/.test(value);
}

/**
 * Reads a declaration file, YAML or JSON, such as
 * `{"cpus": 128, "memoryGib": 1024, "diskGib": 2000, "accelerators": [{"name": "H200", "count": 8}]}`.
 * An accelerator's vendor and memory may be left out for well-known models.
 * @throws Error for people that names each wrong place
 */
export async function parseDeclarationFile(text: string): Promise<Declaration> {
  // Of the agents that run hardly one is given a file, and this would stay in the memory of all.
  const { parse: parseYaml } = await import("yaml");
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw new Error(`the declaration is not YAML or JSON: ${(error as Error).message}`);
  }
  const parsed = fileShape.safeParse(value);
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the document"}: ${issue.message}`);
    throw new Error(`the declaration is wrong: ${places.join("; ")}`);
  }
  const { accelerators, ...rest } = parsed.data;
  const declared: Declaration = withoutUndefined(rest);
  if (accelerators !== undefined) declared.accelerators = expand(accelerators);
  return declared;
}

/**
 * Reads a declaration on a command line: `cpu=128,memory=1024,disk=2000,gpu=H200:8`. Memory and disk are in GB (GiB)
 * unless they say TB; `gpu` is `NAME`, then in any order `:COUNT` and `:MEMORY` with its unit (`H200:141GB:8`), and may
 * be given more than once.
 * @throws Error for people that names the wrong part
 */
export function parseInlineDeclaration(text: string): Declaration {
  const declared: Declaration = {};
  const groups: AcceleratorGroup[] = [];
  for (const part of text.split(",").map((piece) => piece.trim())) {
    const [key, value] = splitPart(part);
    if (key !== "gpu" && seen(declared, key)) throw new Error(`"${key}" is declared twice`);
    if (key === "cpu") declared.cpus = amount(part, value, /^$/);
    else if (key === "memory") declared.memoryGib = gibibytes(part, value);
    else if (key === "disk") declared.diskGib = gibibytes(part, value);
    else if (key === "arch") declared.arch = arch(value);
    else groups.push(acceleratorGroup(part, value));
  }
  if (groups.length > 0) declared.accelerators = expand(groups);
  return declared;
}

interface AcceleratorGroup {
  name: string;
  count: number;
  memoryGib?: number | undefined;
  vendor?: z.infer<typeof accelerator>["vendor"] | undefined;
}

type Key = "cpu" | "memory" | "disk" | "arch" | "gpu";

function splitPart(part: string): [Key, string] {
  const match = /^(cpu|memory|disk|arch|gpu)\s*=\s*(\S+)$/.exec(part);
  if (match === null) {
    throw new Error(`"${part}" is not a declaration; write cpu, memory, disk, arch or gpu, as in ${EXAMPLE}`);
  }
  return [match[1] as Key, match[2] ?? ""];
}

function seen(declared: Declaration, key: Exclude<Key, "gpu">): boolean {
  const field = { cpu: "cpus", memory: "memoryGib", disk: "diskGib", arch: "arch" } as const;
  return declared[field[key]] !== undefined;
}

function gibibytes(part: string, value: string): number {
  return amount(part, value, /^(|GB|GIB|TB|TIB)$/i);
}

/** A number above 0 with one of the units. */
function amount(part: string, value: string, units: RegExp): number {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(value);
  const unit = match?.[2] ?? "?";
  const number = Number(match?.[1]) * (/^T/i.test(unit) ? 1024 : 1);
  if (!units.test(unit) || !(number > 0)) throw new Error(`"${part}" needs a number above 0, as in ${EXAMPLE}`);
  return number;
}

function arch(value: string): "x86" | "arm" {
  if (value !== "x86" && value !== "arm") throw new Error(`"arch=${value}" is neither arch=x86 nor arch=arm`);
  return value;
}

function acceleratorGroup(part: string, value: string): AcceleratorGroup {
  const [name, ...tokens] = value.split(":");
  const counts = tokens.filter((token) => /^\d+$/.test(token)).map(Number);
  const memories = tokens.filter((token) => /^\d+(\.\d+)?[a-z]+$/i.test(token));
  const isWhole = counts.length + memories.length === tokens.length && counts.length <= 1 && memories.length <= 1;
  const count = counts[0] ?? 1;
  if (!name || !/^[a-z]/i.test(name) || !isWhole || count < 1 || count > ACCELERATORS_MAX) {
    throw new Error(
      `"${part}" is not an accelerator; write gpu=NAME, gpu=NAME:COUNT or gpu=NAME:MEMORY:COUNT, e.g. gpu=H200:141GB:8`,
    );
  }
  return { name, count, memoryGib: memories[0] === undefined ? undefined : gibibytes(part, memories[0]) };
}

/** One entry for each accelerator, numbered through. */
function expand(groups: AcceleratorGroup[]): NonNullable<Declaration["accelerators"]> {
  const each = groups.flatMap((group) => Array.from({ length: group.count }, () => complete(group)));
  if (each.length > ACCELERATORS_MAX)
    throw new Error(`a host has at most ${ACCELERATORS_MAX} accelerators, not ${each.length}`);
  return each.map((one, index) => ({ index, ...one }));
}

function complete({ name, vendor, memoryGib }: AcceleratorGroup) {
  const model = findModel(name);
  const whole = {
    name: model?.name ?? name,
    vendor: vendor ?? model?.vendor,
    memoryGib: memoryGib ?? model?.sizesGib.at(-1),
  };
  if (whole.vendor === undefined) {
    throw new Error(`the vendor of "${name}" is not known here; declare it in a file with "vendor" and "memoryGib"`);
  }
  if (whole.memoryGib === undefined) throw new Error(`the memory of "${name}" is not known here; declare it too`);
  return { name: whole.name, vendor: whole.vendor, memoryGib: whole.memoryGib };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as never;
}
