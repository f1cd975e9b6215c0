/**
 * Whether two values are the same JSON, in whatever order their keys were put in. An agent asks this with every
 * decision, nearly always of values that are the same; to write both as text and compare those takes three times as
 * long.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b);
  return !Array.isArray(b) && sameFields(a as Record<string, unknown>, b as Record<string, unknown>);
}

function sameItems(a: unknown[], b: unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
}

function sameFields(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  // Plain loops over names: to ask for the keys first would make two lists each time.
  let surplus = 0;
  for (const key in a) {
    if (!sameJson(a[key], b[key])) return false;
    surplus += 1;
  }
  for (const _ in b) surplus -= 1;
  return surplus === 0;
}
