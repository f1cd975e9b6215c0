/** Seeds that once broke a rule, with what they found. They are run again each time, before any others. */
export const REGRESSIONS: readonly { seed: number; found: string }[] = [
  { seed: 11, found: "a host that was called silent stayed so, since what it reported was nothing new" },
];
