import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ControlError } from "../../control/types.ts";
import { planView } from "../../control/views/views.ts";
import { EXIT } from "../exit-codes.ts";
import { Cli } from "../testing/run.ts";

const FILE = "type: service\nname: chat\nport: 8000\nenv: [HF_TOKEN]\ncommands: [serve]\n";

async function setUp() {
  const cli = await Cli.create();
  const file = join(cli.home, "chat.yml");
  await writeFile(file, FILE);
  cli.env.HF_TOKEN = "hf_1";
  return Object.assign(cli, { file });
}

test("shows the server's plan and changes nothing", async () => {
  await using cli = await setUp();
  const { code, out, err } = await cli.run("plan", "-f", cli.file, "-e", "HF_TOKEN=hf_2");
  expect({ code, err }).toEqual({ code: EXIT.ok, err: "" });
  expect(out).toContain("chat will be created.");
  expect(cli.control.request).toMatchObject({ config: FILE, env: { HF_TOKEN: "hf_2" } });
  expect(cli.control.changes).toEqual([]);
});

test("--json is the plan as the API gives it", async () => {
  await using cli = await setUp();
  const { out } = await cli.run("plan", "-f", cli.file, "--json");
  expect(planView.parse(JSON.parse(out))).toEqual(cli.control.planned);
});

test("in colours at a terminal, and without them where NO_COLOR is set", async () => {
  await using cli = await setUp();
  cli.terminal = true;
  expect((await cli.run("plan", "-f", cli.file)).out).toContain("\u001b[1mchat");
  cli.env.NO_COLOR = "1";
  expect((await cli.run("plan", "-f", cli.file)).out).not.toContain("\u001b");
});

describe("--detailed-exitcode", () => {
  const plan = async (cli: Awaited<ReturnType<typeof setUp>>, ...more: string[]) =>
    (await cli.run("plan", "-f", cli.file, "--detailed-exitcode", ...more)).code;

  test("0 when there is nothing to do, 2 when there is", async () => {
    await using cli = await setUp();
    expect(await plan(cli)).toBe(2);
    cli.control.planned = { ...cli.control.planned, action: "none", revision: 1 };
    expect(await plan(cli)).toBe(0);
  });

  test("neither on an error, a wrong command line among them", async () => {
    await using cli = await setUp();
    expect(await plan(cli, "--no-such-flag")).toBe(EXIT.failed);
    expect(await plan(cli, "-e", "OTHER")).toBe(EXIT.failed);
    cli.control.failure = new ControlError("conflict", "no");
    expect(await plan(cli)).toBe(EXIT.failed);
    cli.env.HEADRACE_TOKEN = "unknown";
    expect(await plan(cli)).toBe(EXIT.unauthorized);
    // Without the flag the number means what it always does.
    expect((await cli.run("plan", "--no-such-flag")).code).toBe(EXIT.usage);
  });

  test("1 for what an apply would be refused", async () => {
    await using cli = await setUp();
    cli.control.planned = { ...cli.control.planned, action: "refused", refusal: "service chat is stopping" };
    expect(await plan(cli)).toBe(EXIT.failed);
    const { code, out } = await cli.run("plan", "-f", cli.file);
    expect(code).toBe(EXIT.failed);
    expect(out).toContain("refused: service chat is stopping.");
  });
});

test("a file of another type is told about without a server", async () => {
  await using cli = await setUp();
  await writeFile(cli.file, "type: fleet\nname: h200\nnodes: 0..4\n");
  const { code, out } = await cli.run("plan", "-f", cli.file, "--json");
  expect(JSON.parse(out)).toMatchObject({ action: "refused", type: "fleet", name: "h200" });
  expect(code).toBe(EXIT.failed);
  expect(cli.requests).toEqual([]);
});

test("an invalid file has no plan, and no server is asked", async () => {
  await using cli = await setUp();
  await writeFile(cli.file, FILE.replace("8000", "eight"));
  const { code, err } = await cli.run("plan", "-f", cli.file);
  expect(code).toBe(EXIT.failed);
  expect(err).toContain(`${cli.file}:3:7: port: `);
  expect(cli.requests).toEqual([]);
});
