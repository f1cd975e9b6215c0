/**
 * Reads Prometheus' text format and forgives nothing: what a lenient reader would skip or guess is an error here.
 */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Exposition {
  /** The type of each family by its name. */
  types: Map<string, string>;
  samples: Sample[];
  /** The one sample of that name whose labels include these. @throws Error when there is none or are several */
  value(name: string, labels?: Record<string, string>): number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;

/** @throws Error with the line that breaks a rule */
export function parseExposition(text: string): Exposition {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end");
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const samples: Sample[] = [];
  let family: { name: string; type: string } | null = null;
  for (const line of text.split("\n").slice(0, -1)) {
    const [, what, name = "", rest = ""] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (what === "HELP") {
      if (helped.has(name)) throw new Error(`a second HELP of ${name}`);
      helped.add(name);
      family = null;
    } else if (what === "TYPE") {
      if (types.has(name)) throw new Error(`a second TYPE of ${name}`);
      if (!helped.has(name)) throw new Error(`a TYPE before its HELP: ${line}`);
      if (!/^(counter|gauge|histogram|summary)$/.test(rest)) throw new Error(`an unknown type: ${line}`);
      if ((rest === "counter") !== name.endsWith("_total"))
        throw new Error(`counters, and only they, end with _total: ${line}`);
      types.set(name, rest);
      family = { name, type: rest };
    } else {
      const sample = parseSample(line);
      if (!family || !belongs(sample.name, family)) throw new Error(`a sample outside of its family: ${line}`);
      samples.push(sample);
    }
  }
  refuseDoubles(samples);
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, samples);
  return {
    types,
    samples,
    value(name, labels = {}) {
      const found = samples.filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      );
      if (found.length !== 1) throw new Error(`${found.length} samples of ${name} with ${JSON.stringify(labels)}`);
      return (found[0] as Sample).value;
    },
  };
}

function parseSample(line: string): Sample {
  const [, name = "", labelText = "", number = ""] = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`).exec(line) ?? [];
  const isNumber = /^(\+Inf|-?\d+(\.\d+)?(e[+-]\d+)?)$/.test(number);
  if (name === "" || !isNumber) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = labelText; rest !== ""; ) {
    const [all, label = "", value = ""] = LABEL.exec(rest) ?? [];
    if (all === undefined || label in labels) throw new Error(`labels that cannot be read: ${line}`);
    labels[label] = value;
    rest = rest.slice(all.length);
  }
  return { name, labels, value: number === "+Inf" ? Number.POSITIVE_INFINITY : Number(number) };
}

function belongs(name: string, family: { name: string; type: string }): boolean {
  // A summary may have no quantiles, and no reader of ours needs them.
  if (family.type !== "histogram" && family.type !== "summary") return name === family.name;
  const endings = family.type === "summary" ? ["_sum", "_count"] : ["_bucket", "_sum", "_count"];
  return endings.some((ending) => name === family.name + ending);
}

function seriesOf({ name, labels }: Sample): string {
  return name + JSON.stringify(Object.entries(labels).toSorted());
}

function refuseDoubles(samples: Sample[]): void {
  const seen = new Set<string>();
  for (const sample of samples) {
    const series = seriesOf(sample);
    if (seen.has(series)) throw new Error(`a series twice: ${series}`);
    seen.add(series);
  }
}

/** Buckets ascend, hold at least what those below hold, and the last holds all. */
function checkHistogram(name: string, samples: Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const groups = Map.groupBy(buckets, ({ labels: { le: _, ...labels } }) => seriesOf({ name, labels, value: 0 }));
  for (const [series, group] of groups) {
    const bounds = group.map(({ labels }) => (labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le)));
    const counts = group.map(({ value }) => value);
    const ascends = (values: number[]) =>
      values.every((value, index) => index === 0 || value >= (values[index - 1] ?? 0));
    if (!ascends(bounds) || new Set(bounds).size !== bounds.length) throw new Error(`buckets out of order: ${series}`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`no bucket for all: ${series}`);
    if (!ascends(counts)) throw new Error(`counts that fall: ${series}`);
    const total = samples.find((sample) => sample.name === `${name}_count` && seriesOf({ ...sample, name }) === series);
    if (total?.value !== counts.at(-1)) throw new Error(`a count that is not that of all buckets: ${series}`);
    const sum = samples.find((sample) => sample.name === `${name}_sum` && seriesOf({ ...sample, name }) === series);
    if (!sum) throw new Error(`no sum: ${series}`);
  }
}
