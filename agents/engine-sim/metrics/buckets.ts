/** Upper ends of SGLang's buckets. Times are in seconds unless a name says otherwise. */

export const FIRST_TOKEN = [0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400];

export const NEXT_TOKEN = [
  0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4,
  6, 8,
];

export const REQUEST = [...FIRST_TOKEN, 600, 1200, 1800, 2400];

export const QUEUE = [
  ...[0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 10, 15, 20],
  ...[30, 40, 50, 60, 70, 80, 90, 100],
  ...[200, 300, 400, 500, 600, 700, 800, 900, 1000],
  ...[1200, 1400, 1600, 1800, 2000, 2200, 2400, 2600, 2800, 3000],
];

/** Thirty, each 1.62 times the one before. */
export const STAGE = Array.from({ length: 30 }, (_, index) => 0.001 * 1.62 ** index);

export const TRANSFER_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500];
export const TRANSFER_LATENCY_MS = [...TRANSFER_MS, 5000];
export const TRANSFER_GB_S = [0.1, 0.5, 1, 5, 10, 25, 50, 100, 200, 400];
export const TRANSFER_MB = [1, 5, 10, 50, 100, 500, 1000, 5000, 10000];

/** Tokens of a prompt or an answer. */
export const LENGTH_TOKENS = [
  ...[100, 300, 500, 700, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000],
  ...[12_500, 15_000, 17_500, 20_000, 22_500, 25_000, 27_500, 30_000, 35_000, 40_000, 60_000, 80_000, 100_000],
  ...[200_000, 300_000, 400_000, 600_000, 800_000, 1_000_000, 1_100_000],
];
