/** The text format of Prometheus, as far as an agent needs it. */

export interface Sample {
  /** Values may be any text. */
  labels?: Readonly<Record<string, string>>;
  value: number;
  /** Of a summary's two parts; none for others. */
  part?: "sum" | "count";
}

/** All that is told under one name. */
export interface Family {
  name: string;
  type: "counter" | "gauge" | "summary";
  help: string;
  samples: readonly Sample[];
}

/** The media type of what `expose` returns. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Those families that have a sample, one line each with what it is. Pure. */
export function expose(families: readonly Family[]): string {
  const lines = families
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ part, labels, value }) => {
        return `${name}${part === undefined ? "" : `_${part}`}${labelText(labels ?? {})} ${numberText(value)}`;
      }),
    ]);
  return lines.map((line) => `${line}\n`).join("");
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}
