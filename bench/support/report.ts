import { cpus, release, totalmem, type } from "node:os";

/** What a bench found. Its runner prints it as tables, or as one JSON document with the machine and the date. */
export interface BenchResult {
  /** One or two sentences: what was measured and how. */
  about: string;
  tables: BenchTable[];
}

export interface BenchTable {
  title: string;
  columns: Column[];
  /** Each row has one cell for each column, by the column's key. */
  rows: Record<string, Cell>[];
}

export interface Column {
  key: string;
  title: string;
  /** e.g. `ms`, `req/s`, `MB`; none for names and plain counts. */
  unit?: string;
}

/** null: was not measured. */
export type Cell = string | number | null | Spread;

/** What repeated measurements of one thing gave. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  runs: number;
}

/** @throws Error without any value, since a median of nothing is a bench that measured nothing */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    runs: sorted.length,
  };
}

/**
 * The value below which this share of the values lies (nearest rank).
 * @param sorted ascending
 * @param share 0 to 1
 * @throws Error without any value
 */
export function quantile(sorted: readonly number[], share: number): number {
  const rank = Math.max(0, Math.ceil(sorted.length * share) - 1);
  const value = sorted[rank];
  if (value === undefined) throw new Error("nothing was measured");
  return significant(value);
}

/** Four significant digits below 1,000, whole numbers above: a figure is no better than the machine it comes from. */
export function significant(value: number): number {
  return Math.abs(value) < 1_000 ? Number(value.toPrecision(4)) : Math.round(value);
}

/** The result for programs. */
export function asJson(bench: string, result: BenchResult, at: Date): string {
  const [processor] = cpus();
  const machine = {
    cpu: processor?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGib: significant(totalmem() / 1_024 ** 3),
    system: `${type()} ${release()}`,
    architecture: process.arch,
  };
  return JSON.stringify({ bench, date: at.toISOString(), node: process.versions.node, machine, ...result }, null, 2);
}

/** The result for people. Names stand to the left, figures to the right of their column. */
export function asText(result: BenchResult): string {
  return [result.about, ...result.tables.map(tableText)].join("\n\n");
}

function tableText({ title, columns, rows }: BenchTable): string {
  const lines = [columns.map(heading), ...rows.map((row) => columns.map(({ key }) => cellText(row[key] ?? null)))];
  const isName = columns.map(({ key }) => rows.every((row) => typeof row[key] === "string"));
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  const text = lines.map((line) =>
    line
      .map((cell, index) => (isName[index] ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return [title, ...text].join("\n");
}

function heading({ title, unit }: Column): string {
  return unit === undefined ? title : `${title}, ${unit}`;
}

function cellText(cell: Cell): string {
  if (cell === null) return "-";
  if (typeof cell !== "object") return String(cell);
  return `${cell.median} (${cell.min} - ${cell.max})`;
}
