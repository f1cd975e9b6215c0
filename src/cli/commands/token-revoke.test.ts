import { beforeEach, describe, expect, test } from "vitest";
import { TOKENS } from "../../api/testing/fake-control.ts";
import { ControlError } from "../../control/types.ts";
import type { TokenView } from "../../control/views/views.ts";
import { EXIT } from "../exit-codes.ts";
import { Cli } from "../testing/run.ts";

const MADE = 1_700_000_000_000;
const HOUR = 3_600_000;
const view = (id: string, over: Partial<TokenView>): TokenView => ({
  ...{ id, name: id, kind: "member", fleet: null, createdAt: MADE, expiresAt: null, usedAt: null, madeBy: "ann" },
  ...{ state: "usable" as const, own: false },
  ...over,
});
const LISTED = [
  view("c-admin", { name: "first admin", kind: "admin", madeBy: null, own: true }),
  view("t1", { name: "ci", expiresAt: MADE + HOUR }),
  view("t2", { name: "ci", state: "revoked" }),
  view("t3", { name: "twin" }),
  view("t4", { name: "twin" }),
  view("t5", { name: "rack\u001b[2J", kind: "join", fleet: "h100", expiresAt: MADE + HOUR, madeBy: "eve\u001b[2J" }),
  view("t6", {
    name: "used",
    kind: "join",
    fleet: "h100",
    expiresAt: MADE + HOUR,
    usedAt: MADE + 60_000,
    state: "used",
  }),
];

let cli: Awaited<ReturnType<typeof Cli.create>>;
beforeEach(async () => {
  cli = await Cli.create();
  cli.control.listed = LISTED;
  return () => cli[Symbol.asyncDispose]();
});

describe("token list", () => {
  test("shows those that can be used, and how to see the others", async () => {
    const { code, out, err } = await cli.run("token", "list");
    expect(code).toBe(EXIT.ok);
    expect(out).toBe(
      "NAME         KIND          CREATED               BY       EXPIRES               ID\n" +
        "first admin  admin, yours  2023-11-14T22:13:20Z  -        never                 c-admin\n" +
        "ci           member        2023-11-14T22:13:20Z  ann      2023-11-14T23:13:20Z  t1\n" +
        "twin         member        2023-11-14T22:13:20Z  ann      never                 t3\n" +
        "twin         member        2023-11-14T22:13:20Z  ann      never                 t4\n" +
        "rack [2J     join (h100)   2023-11-14T22:13:20Z  eve [2J  2023-11-14T23:13:20Z  t5\n",
    );
    expect(err).toBe("2 more can be used no longer: headrace token list --all\n");
  });

  test("shows all of them, and all of them as JSON", async () => {
    const { out, err } = await cli.run("token", "list", "--all");
    expect(out).toContain(
      "used         join (h100)   2023-11-14T22:13:20Z  ann      2023-11-14T23:13:20Z  2023-11-14T22:14:20Z  t6\n",
    );
    expect(out).toContain(
      "ci           member        2023-11-14T22:13:20Z  ann      revoked               -                     t2\n",
    );
    expect(err).toBe("");
    expect(JSON.parse((await cli.run("token", "list", "--json")).out)).toEqual(LISTED);
  });

  test("is an admin's", async () => {
    cli.env.HEADRACE_TOKEN = TOKENS.member;
    expect((await cli.run("token", "list")).code).toBe(EXIT.unauthorized);
  });
});

describe("token revoke", () => {
  test.each([
    ["ci", "t1"],
    ["t2", "t2"],
    ["t4", "t4"],
  ])("means by %s the token %s", async (word, id) => {
    const { code, out, err } = await cli.run("token", "revoke", word, "-y");
    expect(code, err).toBe(EXIT.ok);
    expect(out).toMatch(/^Revoked (ci|twin) \(member, made 2023-11-14T22:13:20Z\)\.\n$/);
    expect(cli.control.changes).toMatchObject([{ what: "revokeToken", subject: id }]);
  });

  test("asks, and says what it asks about", async () => {
    cli.terminal = true;
    cli.typed = ["n", "y"];
    const refused = await cli.run("token", "revoke", "ci");
    expect(refused.code).toBe(EXIT.failed);
    expect(refused.err).toContain("Revoke ci (member, made 2023-11-14T22:13:20Z) for good? [y/N] ");
    expect(cli.control.changes).toEqual([]);
    expect((await cli.run("token", "revoke", "ci", "--json")).out).toBe(
      '{"token":"t1","name":"ci","kind":"member","own":false}\n',
    );
  });

  test("says of the token in use that another is needed", async () => {
    cli.terminal = true;
    cli.typed = ["y"];
    const { code, out, err } = await cli.run("token", "revoke", "first admin");
    expect(code).toBe(EXIT.ok);
    expect(err).toContain("It is the one that you use now. [y/N]");
    expect(out).toContain("Revoked first admin");
    expect(err).toContain("`headrace login` keeps another");
  });

  test("is done where the answer to the token's own revocation was lost", async () => {
    const list = cli.control.tokens.bind(cli.control);
    cli.control.tokens = async () => {
      // The next request is carried out, and its answer does not come.
      cli.faults.push(new TypeError("fetch failed", { cause: { code: "ECONNRESET" } }));
      return list();
    };
    cli.onSleep = () => void cli.control.revoked.add("admin");
    const { code, out } = await cli.run("token", "revoke", "c-admin", "-y");
    expect(code).toBe(EXIT.ok);
    expect(out).toContain("Revoked first admin");
  });

  test.each([
    ["twin", EXIT.usage, "2 tokens are named twin: give the id of one, t3, t4."],
    ["used", EXIT.notFound, "There is no token used in use"],
    ["nobody", EXIT.notFound, "There is no token nobody in use: see headrace token list."],
  ])("sends nothing for %s", async (word, code, message) => {
    const refused = await cli.run("token", "revoke", word, "-y");
    expect(refused.code).toBe(code);
    expect(refused.err).toContain(message);
    expect(cli.control.changes).toEqual([]);
  });

  test("does not take the token itself, and does not repeat it", async () => {
    const token = `hra_${"x".repeat(43)}`;
    const { code, out, err } = await cli.run("token", "revoke", token, "-y");
    expect(code).toBe(EXIT.usage);
    expect(err).toContain("headrace token list");
    expect(out + err).not.toContain(token);
    expect(cli.requests).toEqual([]);
  });

  test("says why not", async () => {
    const list = cli.control.tokens.bind(cli.control);
    cli.control.tokens = async () => {
      const listed = await list();
      cli.control.failure = new ControlError("conflict", "first admin is the last admin token that can be used");
      return listed;
    };
    const { code, err } = await cli.run("token", "revoke", "c-admin", "-y");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("the last admin token");
  });
});
