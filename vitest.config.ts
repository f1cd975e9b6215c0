import { defineConfig } from "vitest/config";

const here = ["{agents,bench,scripts,src}/**/*.test.ts", "test/unit/**/*.test.ts"];

const random = ["**/*.property.test.ts", "test/sim/**/*.test.ts"];

const exclude = ["**/node_modules/**", "**/*.long.test.ts", ...random];

/** What `expect.poll` waits for comes within this or the test fails: a limit, never a wait. Vitest's own is a second. */
const waitedFor = (timeout: number) => ({ poll: { timeout } });

/**
 * Six suites. `unit` needs nothing but Node and is part of `npm run check`; it sits beside the code it tests. `random`
 * (random inputs, simulated lives) keeps one core busy and cares for no clock. `system` and `e2e` run real processes,
 * which mostly wait, so that one file of each runs at a time: `e2e` has the services that take this machine's own ports,
 * which two control planes would promise twice, `system` what takes none or asks for one that is free. `long` is what
 * takes minutes, `drills` too, each in network namespaces of its own; `npm run test:all` runs these two side by side
 * after the others (scripts/test-parts.ts).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: here,
          exclude: ["**/*.property.test.ts", "**/*.{system,e2e,long}.test.ts"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 10_000,
          expect: waitedFor(8_000),
          // Files share a process: a process and its modules for each would triple the time. So a unit test leaves
          // nothing changed behind it, neither environment nor globals.
          isolate: false,
        },
      },
      {
        test: {
          name: "random",
          include: random,
          exclude: ["**/node_modules/**", "**/*.long.test.ts"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/contract/**/*.test.ts", "**/*.system.test.ts"],
          exclude,
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: waitedFor(60_000),
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/{abuse,e2e}/**/*.test.ts", "**/*.e2e.test.ts"],
          exclude,
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: waitedFor(60_000),
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "long",
          include: ["**/*.long.test.ts"],
          exclude: ["**/node_modules/**", "test/drills/**"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 600_000,
          hookTimeout: 180_000,
          expect: waitedFor(60_000),
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "drills",
          include: ["test/drills/**/*.test.ts"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
