import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "./exit-codes.ts";
import { findTarget, readSettings, serverUrl, settingsPath, withServer, writeSettings } from "./settings.ts";
import { Cli } from "./testing/run.ts";

const A = { server: "http://a.test", token: "token-a", project: "main" };
const B = { server: "http://b.test", token: "token-b", project: "other" };

test("the file is its owner's alone, also where an older one was not", async () => {
  await using cli = await Cli.create();
  const path = settingsPath(cli.env);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, "{}", { mode: 0o644 });
  expect(await writeSettings(cli.env, withServer(await readSettings(cli.env), A, true))).toBe(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
    server: A.server,
    servers: { [A.server]: { token: "token-a", project: "main" } },
  });
});

test("a place that cannot be written is named, with what does without it", async () => {
  await using cli = await Cli.create();
  await writeFile(`${cli.home}/file`, "");
  const env = { XDG_CONFIG_HOME: `${cli.home}/file` };
  await expect(writeSettings(env, withServer({ server: null, servers: {} }, A, true))).rejects.toMatchObject({
    message: expect.stringContaining(`Cannot write ${cli.home}/file/headrace/config.json: `),
    hint: expect.stringContaining("XDG_CONFIG_HOME"),
  });
});

test("another server does not take the place of the one that is meant, unless it shall", async () => {
  const empty = { server: null, servers: {} };
  expect(withServer(empty, A, false).server).toBe(A.server);
  expect(withServer(withServer(empty, A, false), B, false).server).toBe(A.server);
  expect(withServer(withServer(empty, A, false), B, true).server).toBe(B.server);
});

describe("whom to talk to", () => {
  test("the environment goes before the file, and a server gets its own token only", async () => {
    await using cli = await Cli.create();
    const env = { HOME: cli.home, XDG_CONFIG_HOME: cli.env.XDG_CONFIG_HOME };
    await writeSettings(env, withServer(withServer({ server: null, servers: {} }, A, true), B, false));
    expect(await findTarget(env)).toEqual(A);
    expect(await findTarget({ ...env, HEADRACE_SERVER: "http://b.test/" })).toEqual(B);
    expect(await findTarget({ ...env, HEADRACE_TOKEN: "t", HEADRACE_PROJECT: "p" })).toEqual({
      server: A.server,
      token: "t",
      project: "p",
    });
    await expect(findTarget({ ...env, HEADRACE_SERVER: "http://c.test" })).rejects.toMatchObject({
      exitCode: EXIT.unauthorized,
      hint: expect.stringContaining("headrace login --server http://c.test"),
    });
  });

  test("nothing known", async () => {
    await using cli = await Cli.create();
    await expect(findTarget({ HOME: cli.home })).rejects.toMatchObject({ exitCode: EXIT.usage });
  });

  test("a file that is none of ours is not quoted: it may hold tokens", async () => {
    await using cli = await Cli.create();
    const path = settingsPath(cli.env);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '{"token": "hra_secret"');
    const error = await readSettings(cli.env).catch((caught: Error) => caught);
    expect(String(error)).toContain(path);
    expect(String(error)).not.toContain("hra_secret");
  });
});

test("addresses have one form, and hold no password", () => {
  expect(serverUrl("HTTP://Example.com:80/", "x")).toBe("http://example.com");
  expect(serverUrl("https://example.com/headrace/", "x")).toBe("https://example.com/headrace");
  for (const text of ["example.com:3000", "ftp://a", "http://user:pw@a", "http://a?b", ""]) {
    expect(() => serverUrl(text, "--server")).toThrow("--server is not the address of a server");
  }
});
