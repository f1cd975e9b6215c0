/** The text format of Prometheus, as far as an engine needs it, written as its Python client writes it. */

export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  samples(): string[];
}

/** More series than an engine has: a label that takes any value would otherwise grow without bound. */
const SERIES_MAX = 1_000;

/** Values by labels. A series is there from the first time it is touched. */
class Series<Value> {
  private readonly values = new Map<string, { labels: Labels; value: Value }>();
  private readonly initial: () => Value;

  constructor(initial: () => Value) {
    this.initial = initial;
  }

  at(labels: Labels): { value: Value } {
    const key = labelText(labels);
    const known = this.values.get(key);
    if (known) return known;
    const entry = { labels, value: this.initial() };
    if (this.values.size < SERIES_MAX) this.values.set(key, entry);
    return entry;
  }

  *[Symbol.iterator](): IterableIterator<{ labels: Labels; value: Value }> {
    yield* this.values.values();
  }
}

/** A figure that is set, or a count that is added to. */
export class Figure implements Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  private readonly series = new Series(() => 0);

  constructor(type: "counter" | "gauge", name: string, help: string) {
    this.type = type;
    this.name = name;
    this.help = help;
  }

  add(labels: Labels, amount = 1): void {
    this.series.at(labels).value += amount;
  }

  set(labels: Labels, value: number): void {
    this.series.at(labels).value = value;
  }

  samples(): string[] {
    return [...this.series].map(({ labels, value }) => sample(this.name, labels, value));
  }
}

export class Histogram implements Family {
  readonly type = "histogram";
  readonly name: string;
  readonly help: string;
  private readonly bounds: readonly number[];
  private readonly series: Series<{ counts: number[]; sum: number }>;

  /** @param bounds upper ends of buckets, ascending; the last, +Inf, is added */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.bounds = [...bounds, Number.POSITIVE_INFINITY];
    this.series = new Series(() => ({ counts: this.bounds.map(() => 0), sum: 0 }));
  }

  observe(labels: Labels, value: number): void {
    const { value: of } = this.series.at(labels);
    const bucket = this.bounds.findIndex((bound) => value <= bound);
    of.counts[bucket] = (of.counts[bucket] ?? 0) + 1;
    of.sum += value;
  }

  samples(): string[] {
    return [...this.series].flatMap(({ labels, value: { counts, sum } }) => {
      let total = 0;
      const buckets = this.bounds.map((bound, index) => {
        total += counts[index] ?? 0;
        return sample(`${this.name}_bucket`, { ...labels, le: numberText(bound) }, total);
      });
      return [...buckets, sample(`${this.name}_count`, labels, total), sample(`${this.name}_sum`, labels, sum)];
    });
  }
}

/** All families that have a series. */
export function expose(families: Iterable<Family>): string {
  const lines: string[] = [];
  for (const family of families) {
    const samples = family.samples();
    if (samples.length === 0) continue;
    const help = family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    lines.push(`# HELP ${family.name} ${help}`, `# TYPE ${family.name} ${family.type}`, ...samples);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** The media type of what `expose` returns. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

function sample(name: string, labels: Labels, value: number): string {
  return `${name}${labelText(labels)} ${numberText(value)}`;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}="${escapeValue(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** Numbers have a point, and an exponent from a million on. */
function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (!Number.isInteger(value)) return String(value);
  if (value < 1e6) return `${value}.0`;
  const [mantissa, exponent = "0"] = value.toExponential().split("e+");
  return `${mantissa?.includes(".") ? mantissa : `${mantissa}.0`}e+${exponent.padStart(2, "0")}`;
}
