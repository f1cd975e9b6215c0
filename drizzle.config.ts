import { defineConfig } from "drizzle-kit";

/** `npx drizzle-kit generate --name <what changes>` writes the next migration from the tables in schema.ts. */
export default defineConfig({ dialect: "sqlite", schema: "./src/store/schema.ts", out: "./migrations" });
