import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { EXIT, EXIT_MEANINGS } from "./exit-codes.ts";
import { allCommands } from "./testing/command-names.ts";
import { Cli } from "./testing/run.ts";

describe("help", () => {
  test("lists the commands and what each exit code means", async () => {
    await using cli = await Cli.create();
    const { code, out } = await cli.run("--help");
    expect(code).toBe(EXIT.ok);
    for (const { name } of allCommands()) expect(out).toContain(name.split(" ")[0]);
    for (const meaning of Object.values(EXIT_MEANINGS)) expect(out).toContain(meaning);
    expect(out).not.toContain("\u001b");
  });

  test.each(allCommands())("$name has a description and examples", async ({ name, command }) => {
    await using cli = await Cli.create();
    const { code, out } = await cli.run(...name.split(" "), "--help");
    expect(code).toBe(EXIT.ok);
    expect(command.description()).not.toBe("");
    expect(out).toContain("Examples:\n");
    expect(cli.requests).toEqual([]);
  });
});

test("its version is the package's", async () => {
  await using cli = await Cli.create();
  expect(await cli.run("--version")).toEqual({ code: EXIT.ok, out: `${manifest.version}\n`, err: "" });
});

describe("mistakes in the command line", () => {
  test.each([
    [["frobnicate"], "unknown command"],
    [["aply"], "Did you mean apply?"],
    [["ps", "--frob"], "unknown option"],
    [["validate"], "required option"],
    [["logs", "chat", "--tail", "-1"], "whole number from 0 to 10000"],
    [["apply", "-f", "x", "--timeout", "soon"], "is not a duration"],
    [["token", "create", "--expires", "0"], "write a longer one"],
    [["host", "join", "--expires", "0"], "write a longer one"],
  ])("%j", async (argv, said) => {
    await using cli = await Cli.create();
    const { code, out, err } = await cli.run(...argv);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(said);
    expect(out).toBe("");
  });

  test("no command at all shows the help", async () => {
    await using cli = await Cli.create();
    const { code, err } = await cli.run();
    expect(code).toBe(EXIT.usage);
    expect(err).toContain("Usage: headrace");
  });
});

describe("exit codes", () => {
  test("the server is not there", async () => {
    await using cli = await Cli.create();
    const refused = () => new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    cli.faults.push(refused(), refused(), refused(), refused());
    const { code, err } = await cli.run("ps");
    expect(code).toBe(EXIT.unreachable);
    expect(err).toContain("error: Cannot reach http://headrace.test: nothing listens there");
    expect(err).toContain("headrace server");
  });

  test("the token is not known", async () => {
    await using cli = await Cli.create();
    cli.env.HEADRACE_TOKEN = "hra_unknown";
    const { code, err } = await cli.run("ps");
    expect(code).toBe(EXIT.unauthorized);
    expect(err).toContain("headrace login");
    expect(err).not.toContain("hra_unknown");
  });

  test("there is no such service", async () => {
    await using cli = await Cli.create();
    const { code, err } = await cli.run("ps", "nope");
    expect(code).toBe(EXIT.notFound);
    expect(err).toBe("error: there is no service nope: see headrace ps\n");
  });

  test("something unexpected in the server", async () => {
    await using cli = await Cli.create();
    cli.control.failure = new Error("inner thoughts");
    const { code, err } = await cli.run("ps");
    expect(code).toBe(EXIT.failed);
    expect(err).not.toContain("inner thoughts");
  });
});
