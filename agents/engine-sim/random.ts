/** Mixes two integers into one of 32 bits, evenly and always the same. */
export function mix(seed: number, index: number): number {
  let value = (seed ^ Math.imul(index + 0x9e3779b9, 0x85ebca6b)) >>> 0;
  value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
  return (value ^ (value >>> 15)) >>> 0;
}

/** A number from 0 (included) to 1 (not included). */
export function fraction(seed: number, index: number): number {
  return mix(seed, index) / 2 ** 32;
}

/** A series of factors around 1 with the given spread (normal, by summing twelve even numbers), from a seed. */
export function noise(seed: number, spread: number): () => number {
  let drawn = 0;
  return () => {
    let sum = -6;
    for (let part = 0; part < 12; part += 1) sum += fraction(seed, drawn * 12 + part);
    drawn += 1;
    return 1 + sum * spread;
  };
}
