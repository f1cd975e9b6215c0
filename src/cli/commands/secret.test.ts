import { describe, expect, test } from "vitest";
import { TOKENS } from "../../api/testing/fake-control.ts";
import { ControlError } from "../../control/types.ts";
import { EXIT } from "../exit-codes.ts";
import { Cli } from "../testing/run.ts";

describe("secret set", () => {
  test("takes the value from standard input, without the line end, and says nothing of it", async () => {
    await using cli = await Cli.create();
    cli.stdin = " two lines\r\nof it \n";
    const { code, out, err } = await cli.run("secret", "set", "TOKEN");
    expect(code).toBe(EXIT.ok);
    expect(out).toContain("Set TOKEN.");
    expect(out + err).not.toContain("two lines");
    expect(cli.control.values.get("TOKEN")).toBe(" two lines\r\nof it ");
    expect(cli.control.changes).toMatchObject([{ what: "setSecret", subject: "TOKEN" }]);
  });

  test("asks at a terminal", async () => {
    await using cli = await Cli.create();
    cli.terminal = true;
    cli.typed = ["typed"];
    expect((await cli.run("secret", "set", "TOKEN")).err).toContain("Value of TOKEN: ");
    expect(cli.control.values.get("TOKEN")).toBe("typed");
  });

  test("refuses a value on the command line, and does not repeat it", async () => {
    await using cli = await Cli.create();
    for (const words of [["TOKEN=hf_plain"], ["TOKEN", "hf_plain"]]) {
      const { code, out, err } = await cli.run("secret", "set", ...words);
      expect(code).toBe(EXIT.usage);
      expect(err).toContain("other users of the machine");
      expect(err).toContain("history");
      expect(out + err).not.toContain("hf_plain");
    }
    expect(cli.requests).toEqual([]);
  });

  test("refuses nothing, what is too long, and what no reference can name", async () => {
    await using cli = await Cli.create();
    cli.stdin = "\n";
    expect((await cli.run("secret", "set", "TOKEN")).code).toBe(EXIT.usage);
    cli.stdin = "x".repeat(16 * 1024 + 1);
    const long = await cli.run("secret", "set", "TOKEN");
    expect(long.code).toBe(EXIT.failed);
    expect(long.err).not.toContain("xxx");
    cli.stdin = "plain";
    for (const name of ["9TOKEN", "MY-TOKEN", "a/b", "__proto__"]) {
      expect((await cli.run("secret", "set", name)).err, name).toContain("letters, digits and _");
    }
    expect(cli.control.changes).toEqual([]);
  });

  test("is an admin's", async () => {
    await using cli = await Cli.create();
    cli.env.HEADRACE_TOKEN = TOKENS.member;
    cli.stdin = "plain";
    expect((await cli.run("secret", "set", "TOKEN")).code).toBe(EXIT.unauthorized);
  });
});

describe("secret list", () => {
  test("says who set what when and what uses it", async () => {
    await using cli = await Cli.create();
    expect((await cli.run("secret", "list")).err).toContain("headrace secret set NAME");
    cli.control.kept = [
      {
        name: "HF_TOKEN",
        setAt: 1_700_000_000_000,
        setBy: "ann",
        services: [
          { name: "chat", isCurrent: true },
          { name: "old", isCurrent: false },
        ],
      },
      { name: "SPARE", setAt: 1_700_000_000_000, setBy: "bob", services: [] },
    ];
    expect((await cli.run("secret", "list")).out).toBe(
      "NAME      SET                   BY   USED BY\n" +
        "HF_TOKEN  2023-11-14T22:13:20Z  ann  chat, old (an older value)\n" +
        "SPARE     2023-11-14T22:13:20Z  bob  -\n",
    );
    expect(JSON.parse((await cli.run("secret", "list", "--json")).out)).toEqual(cli.control.kept);
  });
});

describe("secret delete", () => {
  test("asks, and says why not", async () => {
    await using cli = await Cli.create();
    cli.terminal = true;
    cli.typed = ["n", "y"];
    expect((await cli.run("secret", "delete", "TOKEN")).code).toBe(EXIT.failed);
    expect(cli.control.changes).toEqual([]);
    expect((await cli.run("secret", "delete", "TOKEN")).out).toBe("Deleted TOKEN.\n");
    cli.control.failure = new ControlError("not_found", "there is no secret TOKEN: see headrace secret list");
    const none = await cli.run("secret", "delete", "TOKEN", "-y");
    expect(none.code).toBe(EXIT.notFound);
    expect(none.err).toContain("headrace secret list");
  });
});
