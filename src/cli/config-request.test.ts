import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "./exit-codes.ts";
import { Cli } from "./testing/run.ts";

const SERVICE = [
  "type: service",
  "name: chat",
  "port: 8000",
  "env: {MODE: fast}",
  "commands: ['serve ${{ run.args }}']",
  "",
].join("\n");

async function setUp(files: Record<string, string> = {}) {
  const cli = await Cli.create();
  for (const [path, text] of Object.entries({ "repo/.git/HEAD": "", "repo/a/chat.yml": SERVICE, ...files })) {
    await mkdir(dirname(join(cli.home, path)), { recursive: true });
    await writeFile(join(cli.home, path), text);
  }
  const file = join(cli.home, "repo/a/chat.yml");
  const plan = (...words: string[]) => cli.run("plan", "-f", file, ...words);
  return Object.assign(cli, { file, plan });
}

const profiles = (name: string) => `profiles: [{name: ${name}, max_price: 2}]\n`;

test("-e adds a variable or replaces the file's own, by a value that is sealed", async () => {
  await using cli = await setUp();
  expect((await cli.plan("-e", "MODE=slow", "-e", "NEW=1")).code).toBe(EXIT.ok);
  expect(cli.control.request).toMatchObject({ overrides: ["MODE", "NEW"], env: { MODE: "slow", NEW: "1" } });
});

describe("arguments", () => {
  test("behind -- stand for run.args", async () => {
    await using cli = await setUp();
    await cli.plan("--", "--tp", "8", "-f");
    expect(cli.control.request?.args).toEqual(["--tp", "8", "-f"]);
    const validated = await cli.run("validate", "-f", cli.file, cli.file, "--", "--tp", "8");
    expect(validated).toMatchObject({ code: EXIT.ok, err: "" });
    expect(validated.out.match(/: ok/g)).toHaveLength(2);
  });

  test("in front of it are refused", async () => {
    await using cli = await setUp();
    const { code, err } = await cli.plan("other.yml", "--", "--tp");
    expect(code).toBe(EXIT.usage);
    expect(err).toContain("`other.yml` belongs to no flag");
    expect(cli.requests).toEqual([]);
  });
});

describe("profiles", () => {
  test("are those nearest to the configuration, up to its repository's root", async () => {
    const near = { "repo/a/.dstack/profiles.yml": profiles("near") };
    await using cli = await setUp({ "repo/.dstack/profiles.yml": profiles("root"), ...near });
    await cli.plan("--profile", "near");
    expect(cli.control.request?.profiles).toEqual({
      text: profiles("near"),
      file: join(cli.home, "repo/a/.dstack/profiles.yml"),
      name: "near",
    });
    const { code, err } = await cli.plan("--profile", "root");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("profiles.yml");
  });

  test("else those in the user's home, and none from around a folder that is in no repository", async () => {
    await using cli = await setUp({
      ".dstack/profiles.yml": profiles("home"),
      "shared/.dstack/profiles.yml": profiles("anybodys"),
      "shared/a/chat.yml": SERVICE,
    });
    await cli.plan();
    expect(cli.control.request?.profiles).toMatchObject({ text: profiles("home"), name: null });
    await cli.run("plan", "-f", join(cli.home, "shared/a/chat.yml"));
    expect(cli.control.request?.profiles).toMatchObject({ text: profiles("home") });
  });

  test("that are nowhere are refused by name only", async () => {
    await using cli = await setUp();
    expect((await cli.plan()).code).toBe(EXIT.ok);
    expect(cli.control.request?.profiles).toBeUndefined();
    const { code, err } = await cli.plan("--profile", "fast");
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(join(cli.home, "repo/.dstack/profiles.yml"));
  });
});
