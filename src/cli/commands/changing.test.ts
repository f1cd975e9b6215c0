import { readFile, stat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { SERVICE, TOKENS } from "../../api/testing/fake-control.ts";
import { ControlError } from "../../control/types.ts";
import { EXIT } from "../exit-codes.ts";
import { settingsPath } from "../settings.ts";
import { Cli, SERVER } from "../testing/run.ts";

describe("stop", () => {
  test("waits until it has stopped", async () => {
    await using cli = await Cli.create();
    cli.control.view = { ...SERVICE, status: "stopping", ready: false };
    cli.onSleep = () => {
      cli.control.view = { ...SERVICE, status: "stopped", ready: false, groups: [], replicas: [] };
    };
    const { code, out } = await cli.run("stop", "chat", "-y");
    expect(code).toBe(EXIT.ok);
    expect(out).toContain("chat-worker-1: gone");
    expect(out).toContain("chat has stopped after 1s.");
    expect(cli.control.changes).toMatchObject([{ what: "stop", subject: "chat" }]);
  });

  test("-d does not wait, --json is the answer", async () => {
    await using cli = await Cli.create();
    const { out } = await cli.run("stop", "chat", "-y", "-d", "--json");
    expect(JSON.parse(out)).toEqual({ service: "chat", version: 8 });
  });

  test("is not done without a yes", async () => {
    await using cli = await Cli.create();
    expect((await cli.run("stop", "chat")).code).toBe(EXIT.usage);
    cli.terminal = true;
    cli.typed = ["n"];
    expect((await cli.run("stop", "chat")).code).toBe(EXIT.failed);
    expect(cli.control.changes).toEqual([]);
  });
});

describe("delete", () => {
  test("deletes", async () => {
    await using cli = await Cli.create();
    expect(await cli.run("delete", "chat", "-y")).toEqual({ code: EXIT.ok, out: "Deleted chat.\n", err: "" });
    expect(cli.control.changes).toMatchObject([{ what: "delete", subject: "chat" }]);
  });

  test("the server says why not", async () => {
    await using cli = await Cli.create();
    cli.control.failure = new ControlError("conflict", "chat is running: stop it first.");
    expect(await cli.run("delete", "chat", "-y")).toEqual({
      code: EXIT.failed,
      out: "",
      err: "error: chat is running: stop it first.\n",
    });
  });
});

describe("host", () => {
  test("list says which is heard of", async () => {
    await using cli = await Cli.create();
    expect((await cli.run("host", "list")).out).toBe(
      "ID      NAME  FLEET    STATE   ADDRESS   ACCELERATORS      FABRIC  AGENT  JOBS  WRONG\nhost-1  box   default  online  10.0.0.1  1 x H100 (80 GB)  none    0.1.0  1     -\n",
    );
  });

  test.each([
    [["box"], "removeHost"],
    [["host-1", "--force"], "removeHost by force"],
  ])("remove %j", async (flags, what) => {
    await using cli = await Cli.create();
    const { code, out } = await cli.run("host", "remove", ...flags, "-y");
    expect({ code, out }).toEqual({ code: EXIT.ok, out: "Removed box (host-1).\n" });
    expect(cli.control.changes).toMatchObject([{ what, subject: "host-1" }]);
  });

  test("remove asks first, and says which hosts there are when there is none of the name", async () => {
    await using cli = await Cli.create();
    expect((await cli.run("host", "remove", "box")).code).toBe(EXIT.usage);
    const none = await cli.run("host", "remove", "nobody", "-y");
    expect(none.code).toBe(EXIT.notFound);
    expect(none.err).toContain("There is no host nobody: see headrace host list.");
    expect(cli.control.changes).toEqual([]);
  });
});

describe("fleet", () => {
  test("list says how to make one where there is none", async () => {
    await using cli = await Cli.create();
    cli.control.allFleets = [];
    expect(await cli.run("fleet", "list")).toEqual({
      code: EXIT.ok,
      out: "",
      err: "No fleets yet. `headrace apply -f FILE` makes one.\n",
    });
  });

  test("delete asks first", async () => {
    await using cli = await Cli.create();
    cli.terminal = true;
    cli.typed = ["n"];
    const { code, err } = await cli.run("fleet", "delete", "rack-1");
    expect([code, cli.control.changes]).toEqual([EXIT.failed, []]);
    expect(err).toMatch(/Nothing was deleted\.\n$/);
  });
});

describe("token", () => {
  test.each([
    [[], "admin"],
    [["--member", "--name", "ci", "--expires", "90d"], "member"],
    [["--host", "--fleet", "h100"], "join"],
  ])("create %j", async (flags, kind) => {
    await using cli = await Cli.create();
    const { code, out, err } = await cli.run("token", "create", ...flags);
    expect(code).toBe(EXIT.ok);
    expect(out).toBe("hr_new\n");
    expect(err).toContain("not shown again");
    expect(cli.control.changes).toMatchObject([{ what: "createToken", subject: kind }]);
  });

  test.each([[["--host", "--member"]], [["--fleet", "h100"]]])("create %j makes no sense", async (flags) => {
    await using cli = await Cli.create();
    expect((await cli.run("token", "create", ...flags)).code).toBe(EXIT.usage);
    expect(cli.requests).toEqual([]);
  });

  test("a member may not make one", async () => {
    await using cli = await Cli.create();
    cli.env.HEADRACE_TOKEN = TOKENS.member;
    const { code, err } = await cli.run("token", "create");
    expect(code).toBe(EXIT.unauthorized);
    expect(err).toContain("Only an admin");
  });

  test("show", async () => {
    await using cli = await Cli.create();
    expect((await cli.run("token", "show")).out).toBe(`${TOKENS.admin}\n`);
  });
});

describe("login", () => {
  test("asks for the token, tries it and keeps it for its owner alone", async () => {
    await using cli = await Cli.create();
    cli.env.HEADRACE_SERVER = undefined;
    cli.env.HEADRACE_TOKEN = undefined;
    cli.terminal = true;
    cli.typed = [TOKENS.member];
    const { code, out, err } = await cli.run("login", "--server", `${SERVER}/`);
    expect(code).toBe(EXIT.ok);
    expect(out).toContain(`Logged in to ${SERVER} as member (member), project main.`);
    expect(out + err).not.toContain(TOKENS.member);
    const path = settingsPath(cli.env);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      server: SERVER,
      servers: { [SERVER]: { token: TOKENS.member, project: "main" } },
    });
    expect((await cli.run("ps")).code).toBe(EXIT.ok);
  });

  test("a token that the server does not know is not kept", async () => {
    await using cli = await Cli.create();
    cli.stdin = "hra_wrong\n";
    const { code } = await cli.run("login", "--server", SERVER, "--token-stdin");
    expect(code).toBe(EXIT.unauthorized);
    await expect(stat(settingsPath(cli.env))).rejects.toThrow("ENOENT");
  });

  test("without a terminal and without --token-stdin it says what to give", async () => {
    await using cli = await Cli.create();
    const { code, err } = await cli.run("login", "--server", SERVER);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain("--token-stdin");
  });

  test("an unencrypted server is warned of, this machine's own is not", async () => {
    await using cli = await Cli.create();
    cli.stdin = TOKENS.admin;
    expect((await cli.run("login", "--server", SERVER, "--token-stdin")).err).toContain("not encrypted");
    for (const own of ["http://127.0.0.1:3000", "http://localhost", "https://headrace.test"]) {
      expect((await cli.run("login", "--server", own, "--token-stdin")).err).toBe("");
    }
  });
});
