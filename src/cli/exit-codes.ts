/** How the program ends. Scripts rely on these numbers: one may be added, none may change its meaning. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Of `plan --detailed-exitcode` alone, under which a wrong command line is an error like others. */
  somethingToDo: 2,
  unreachable: 3,
  unauthorized: 4,
  notFound: 5,
  notReady: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One line for each, as `--help` and docs/cli.md show them. */
export const EXIT_MEANINGS: Record<ExitCode, string> = {
  0: "done",
  1: "it failed, or a file is invalid",
  2: "the command line is wrong; with `plan --detailed-exitcode`: there is something to do",
  3: "the server cannot be reached",
  4: "no token, or it does not allow this",
  5: "there is no such service, replica, host, fleet, secret or token",
  6: "not ready (or not stopped) in time",
  130: "interrupted",
};

export const EXIT_HELP = [
  "",
  "Exit codes:",
  ...Object.entries(EXIT_MEANINGS).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}`),
].join("\n");
