const UNITS: [name: string, ms: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/** A span for people, in its two largest units: `45s`, `3m12s`, `2h`, `5d3h`. Less than a second is `0s`. */
export function showSpan(ms: number): string {
  const first = UNITS.findIndex(([, size]) => ms >= size);
  if (first === -1) return "0s";
  let rest = ms;
  let shown = "";
  for (const [name, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) shown += `${count}${name}`;
  }
  return shown;
}

/** An instant for people: UTC, to the second, sortable. */
export function showInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
