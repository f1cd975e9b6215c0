import { stripVTControlCharacters } from "node:util";

const GAP = "  ";

/**
 * Lines of columns, each as wide as its widest cell and two spaces from the next; the last is never padded. Cells may
 * hold colours. A row with fewer cells ends early.
 */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join(GAP)
      .trimEnd(),
  );
}

/** Cuts a line to a screen's width, so that it takes one row of it. A cut line loses its colours. */
export function cut(line: string, columns: number): string {
  if (width(line) <= columns) return line;
  return `${stripVTControlCharacters(line).slice(0, Math.max(0, columns - 1))}…`;
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
