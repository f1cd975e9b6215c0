import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EXIT } from "../exit-codes.ts";
import { Cli } from "../testing/run.ts";

const GOOD = "type: service\nname: chat\nport: 8000\nimage: nginx\ncommands:\n  - serve\n";
const BAD = "type: service\nname: chat\nport: eight\ncommands:\n  - serve\n";

async function files(cli: Cli, texts: Record<string, string>): Promise<string[]> {
  return Promise.all(
    Object.entries(texts).map(async ([name, text]) => {
      const path = join(cli.home, name);
      await writeFile(path, text);
      return path;
    }),
  );
}

test("one line of JSON per file, valid or not, readable or not", async () => {
  await using cli = await Cli.create();
  const [good, bad] = await files(cli, { "good.yml": GOOD, "bad.yml": BAD });
  const { code, out, err } = await cli.run("validate", "-f", good!, "-f", bad!, "-f", "/no/such.yml", "--json");
  const [first, second, third, ...rest] = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rest).toEqual([]);
  expect(first).toEqual({ file: good, ok: true, type: "service", errors: [] });
  expect(second).toMatchObject({
    file: bad,
    ok: false,
    type: "service",
    errors: [{ line: 3, column: 7, path: "port" }],
  });
  expect(third).toMatchObject({
    ok: false,
    type: null,
    errors: [{ message: expect.stringContaining("no such file") }],
  });
  expect(code).toBe(EXIT.failed);
  expect(err).toBe("");
});

test("people see the place, the line and a caret under it", async () => {
  await using cli = await Cli.create();
  const [bad] = await files(cli, { "bad.yml": BAD });
  const { code, out } = await cli.run("validate", "-f", bad!);
  expect(code).toBe(EXIT.failed);
  expect(out).toContain(`${bad}:3:7: port: `);
  expect(out).toContain("\n  3 | port: eight\n    |       ^\n");
  expect(out).not.toContain("\u001b");
});

test("a valid file needs no server and no token", async () => {
  await using cli = await Cli.create();
  cli.env = { HOME: cli.home };
  const [good] = await files(cli, { "good.yml": GOOD });
  const { code, out } = await cli.run("validate", "-f", good!);
  expect(out).toBe(`${good}: ok (service)\n`);
  expect(code).toBe(EXIT.ok);
  expect(cli.requests).toEqual([]);
});

test("standard input", async () => {
  await using cli = await Cli.create();
  cli.stdin = BAD;
  expect((await cli.run("validate", "-f", "-")).out).toContain("-:3:7: port: ");
});
