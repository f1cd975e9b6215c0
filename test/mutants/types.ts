/** A deliberate bug, kept to show that the test which guards against it does. */
export interface Mutant {
  /** Path in the checkout. */
  file: string;
  /** Text of the file that stands there exactly once ... */
  replace: string;
  /** ... and what stands there with the bug. */
  by: string;
  /** What goes wrong with it, in one sentence. */
  breaks: string;
  caughtBy: {
    /** Path of a test file. */
    file: string;
    /** Full name of a test in it: the names of its `describe`s and its own, with ` > ` between, as vitest prints it. */
    test: string;
    /** What the failure must say, for rules that are told in words; otherwise any failed assertion will do. */
    rule?: string;
    /** The rule of the simulation that must catch it too, by its name in test/sim/rules/. */
    simulation?: string;
  };
}
