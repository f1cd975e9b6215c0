import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { ArgumentError } from "./arguments.ts";

/**
 * Reads flags from the YAML file of `--config`: `enable-metrics: true`, `port: 8000`; dashes or underscores.
 * @returns them as words of a command line
 * @throws ArgumentError when there is no such file or it holds something else
 */
export function readConfigFile(path: string): string[] {
  let values: unknown;
  try {
    values = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ArgumentError(`argument --config: ${path}: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new ArgumentError(`argument --config: ${path} must hold flags and their values`);
  }
  return Object.entries(values).flatMap(([name, value]) => {
    const flag = `--${name.replaceAll("_", "-")}`;
    if (value === false || value === null) return [];
    if (value === true) return [flag];
    if (Array.isArray(value)) return [flag, ...value.map(String)];
    return [flag, typeof value === "object" ? JSON.stringify(value) : String(value)];
  });
}
