import { defineConfig } from "vitest/config";

const here = ["src/**/*.test.ts", "agents/**/*.test.ts", "scripts/**/*.test.ts", "test/unit/**/*.test.ts"];

/**
 * Two suites. `unit` needs nothing but Node and is part of `npm run check`; it sits beside the code it tests. `system`
 * runs real processes (routers, engines, databases, network namespaces), so its files run one at a time.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: here,
          exclude: ["**/*.property.test.ts", "**/*.system.test.ts"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 10_000,
          // Files share a process: a process and its modules for each would triple the time. So a unit test leaves
          // nothing changed behind it, neither environment nor globals.
          isolate: false,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/{contract,e2e}/**/*.test.ts", "**/*.property.test.ts", "**/*.system.test.ts"],
          exclude: ["**/node_modules/**"],
          setupFiles: ["test/support/seed.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
