import { describe, expect, test } from "vitest";
import { FLEET } from "../../api/testing/fake-control.ts";
import { EXIT } from "../exit-codes.ts";
import { Cli, SERVER } from "../testing/run.ts";

const folder = async (name: string) =>
  name === "install.sh" ? { type: "text/x-shellscript", open: () => "#!/bin/sh\n" } : null;

describe("headrace host join", () => {
  test("prints the line alone, and says how long it is good", async () => {
    await using cli = await Cli.create();
    cli.install = folder;
    const { code, out, err } = await cli.run("host", "join", "--fleet", "h100", "--name", "gpu-7");
    expect(code).toBe(EXIT.ok);
    expect(out).toBe(
      `{ echo 'HEADRACE_SERVER=${SERVER} HEADRACE_FROM=${SERVER}/install HEADRACE_FLEET=h100 HEADRACE_NAME=gpu-7 ` +
        `HEADRACE_JOIN_TOKEN=hr_new'; curl -fsSL ${SERVER}/install/install.sh; } | sudo sh\n`,
    );
    expect(err).toContain("It is good for one host. Where you are root there, leave sudo out.");
    expect(cli.control.changes).toMatchObject([{ what: "createToken", subject: "join" }]);
  });

  test("hosts can be told another address of the server, and another place to install from", async () => {
    await using cli = await Cli.create();
    cli.install = folder;
    const flags = ["--server", "http://127.0.0.1:3000", "--from", `${SERVER}/install/`];
    const { out, err } = await cli.run("host", "join", "--json", ...flags);
    const { line, ...rest } = JSON.parse(out);
    expect(line).toContain(
      `HEADRACE_SERVER=http://127.0.0.1:3000 HEADRACE_FROM=${SERVER}/install HEADRACE_FLEET=default`,
    );
    expect(rest).toEqual({ token: "hr_new", fleet: "default", server: "http://127.0.0.1:3000", expiresAt: null });
    expect(err).toBe("");
    const shown = await cli.run("host", "join", ...flags);
    expect(shown.err).toContain("http://127.0.0.1:3000 is this machine alone");
  });

  test("has the fleet's network in the line, so that the host's address is the one in there", async () => {
    await using cli = await Cli.create();
    cli.install = folder;
    const ssh = { network: "10.0.0.0/24", env: [], hosts: [] };
    cli.control.allFleets = [FLEET, { ...FLEET, name: "h100", ssh }];
    expect((await cli.run("host", "join", "--fleet", "h100")).out).toContain(" HEADRACE_NETWORK=10.0.0.0/24 ");
    expect((await cli.run("host", "join")).out).not.toContain("HEADRACE_NETWORK");
  });

  test("makes no token where there is nothing to install from", async () => {
    await using cli = await Cli.create();
    const { code, err } = await cli.run("host", "join");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain(`There is nothing to install an agent from at ${SERVER}/install/install.sh (404).`);
    expect(err).toContain("headrace host files");
    expect(cli.control.changes).toEqual([]);
  });
});
