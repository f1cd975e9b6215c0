/** Seeds that once broke a rule, with what they found. They are run again each time, before any others. */
export const REGRESSIONS: readonly { seed: number; found: string }[] = [];
