import { readAgentVersion } from "../grammar/agent-version.ts";
import { readReplicas } from "../grammar/count.ts";
import { readCpuCount } from "../grammar/cpu.ts";
import { readDuration, readIdleDuration, readOffableDuration } from "../grammar/duration.ts";
import { readEntityName, readEntityRef } from "../grammar/entity.ts";
import { readGpuCount } from "../grammar/gpu.ts";
import { readMemory } from "../grammar/memory.ts";
import { readGroupName, readResourceName } from "../grammar/names.ts";
import { readPositive } from "../grammar/number.ts";
import { readPort, readServicePort } from "../grammar/port.ts";
import { readAbsolutePath, readPython, readShell } from "../grammar/process.ts";
import { readTagValue } from "../grammar/tags.ts";
import { readVolume, readVolumePath } from "../grammar/volume.ts";
import { readFlag } from "./fields.ts";

/** What an editor can be told of a grammar. It lets through all that the grammar accepts, and may let through more. */
export interface Pattern {
  /** A regular expression for the whole of a text, without anchors. */
  text: string;
  /** For a value written as a number. */
  number?: { minimum?: number; exclusiveMinimum?: number; maximum?: number; multipleOf?: number };
}

const name = "[a-z][a-z0-9-]{1,40}";
const whole = { multipleOf: 1 };
const integer: Pattern = { text: "\\s*[-+]?\\d+\\s*", number: { minimum: 0, ...whole } };

/** By grammar. One that is not in here takes any text, number or boolean as far as an editor knows. */
const patterns = new Map<unknown, Pattern>([
  [readFlag, { text: "[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|0|1" }],
  [readDuration, { text: "\\s*-?\\d+ *[smhdw]?\\s*", number: { minimum: 0 } }],
  [readOffableDuration, { text: "\\s*-?\\d+ *[smhdw]?\\s*|off|false|true", number: { minimum: 0 } }],
  [readIdleDuration, { text: "\\s*-?\\d+ *[smhdw]?\\s*|off|false|true", number: { minimum: -1 } }],
  [readMemory, { text: "[\\s\\d.]+(?:[mMgGtT]\\s*[bB]\\s*)?", number: { minimum: 0 } }],
  [readPositive, { text: "\\s*\\d+(?:\\.\\d+)?\\s*", number: { exclusiveMinimum: 0 } }],
  [readCpuCount, integer],
  [readGpuCount, integer],
  [readReplicas, integer],
  [readPort, { text: "\\s*[-+]?\\d+\\s*", number: { minimum: 1, maximum: 65_535, ...whole } }],
  [
    readServicePort,
    {
      text: "\\s*[-+]?\\d+\\s*|(?:\\*|\\s*[-+]?\\d+\\s*):\\s*[-+]?\\d+\\s*",
      number: { minimum: 1, maximum: 65_535, ...whole },
    },
  ],
  [readPython, { text: "3\\.\\d{1,2}", number: { minimum: 3, maximum: 4 } }],
  [readResourceName, { text: name }],
  [readEntityName, { text: name }],
  [readEntityRef, { text: `(?:${name}/)?${name}` }],
  [readTagValue, { text: "[a-zA-Z0-9 .:/=_\\-+@]{0,256}" }],
  [readGroupName, { text: "[a-z0-9][a-z0-9-]{0,39}" }],
  [readShell, { text: "sh|bash|/[^]*" }],
  [readAbsolutePath, { text: "/[^]*" }],
  [readVolume, { text: "[^:]+:/[^:]*" }],
  [readAgentVersion, { text: "server|hold|[0-9a-f]{12,64}" }],
  [readVolumePath, { text: "/[^]*" }],
]);

/** @param isRange whether the grammar reads each end of a range and not the whole text */
export function patternOf(read: unknown, isRange: boolean): Pattern | null {
  const pattern = patterns.get(read);
  if (pattern === undefined) return null;
  if (!isRange) return pattern;
  const end = `(?:${pattern.text})`;
  return { ...pattern, text: `${end}|\\s*${end}?\\s*\\.\\.\\s*${end}?\\s*` };
}

/** Every grammar that has a pattern, for the test that holds each pattern to its grammar. */
export function patternedGrammars(): [read: unknown, pattern: Pattern][] {
  return [...patterns];
}
