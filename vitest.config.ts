import { defineConfig } from "vitest/config";

const here = ["{agents,bench,scripts,src}/**/*.test.ts", "test/unit/**/*.test.ts"];

const random = ["**/*.property.test.ts", "test/sim/**/*.test.ts"];

/**
 * Four suites. `unit` needs nothing but Node and is part of `npm run check`; it sits beside the code it tests. `random`
 * (random inputs, simulated lives) keeps one core busy and cares for no clock. `system` runs real processes (routers,
 * engines, databases, network namespaces), so its files run one at a time. `long` is what takes minutes (drills, many
 * seeds); `npm run test:all` runs it after the others.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: here,
          exclude: ["**/*.property.test.ts", "**/*.system.test.ts", "**/*.long.test.ts"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 10_000,
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
          include: ["test/{abuse,contract,e2e}/**/*.test.ts", "**/*.system.test.ts"],
          exclude: ["**/node_modules/**", "**/*.long.test.ts", ...random],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "long",
          include: ["**/*.long.test.ts"],
          exclude: ["**/node_modules/**"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 600_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
