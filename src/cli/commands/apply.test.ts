import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commit, SERVICE } from "../../api/testing/fake-control.ts";
import { ControlError } from "../../control/types.ts";
import type { ServiceView } from "../../control/views/views.ts";
import { EXIT } from "../exit-codes.ts";
import { Cli, SERVER } from "../testing/run.ts";

const FILE = [
  "type: service",
  "name: chat",
  "port: 8000",
  "env:",
  "  - HF_TOKEN",
  "model: qwen",
  "commands:",
  "  - serve",
  "",
].join("\n");

async function setUp() {
  const cli = await Cli.create();
  const file = join(cli.home, "chat.yml");
  await writeFile(file, FILE);
  cli.env.HF_TOKEN = "hf_1";
  cli.control.view = starting;
  return Object.assign(cli, { file });
}

const starting: ServiceView = {
  ...SERVICE,
  revision: 1,
  ready: false,
  message: "waiting for worker",
  groups: [{ name: "worker", role: "worker", wanted: 1, ready: 0 }],
  replicas: [{ ...SERVICE.replicas[0]!, status: "starting", revision: 1 }],
};
const ready: ServiceView = { ...SERVICE, revision: 1 };

test("plan, question, progress, endpoint", async () => {
  await using cli = await setUp();
  cli.terminal = true;
  cli.env.NO_COLOR = "1";
  cli.typed = ["y"];
  cli.onSleep = () => {
    cli.control.view = ready;
  };
  const { code, out, err } = await cli.run("apply", "-f", cli.file);
  expect(err).toBe("Apply? [y/N] ");
  expect(code).toBe(EXIT.ok);
  expect(out).toContain("chat will be created.");
  expect(out).toContain("chat-worker-1");
  expect(out).toContain("chat is ready after 1s.");
  expect(out).toContain(`Endpoint: ${SERVER}/proxy/services/main/chat/v1 (model qwen)`);
  expect(out).toContain("$(headrace token show)");
  expect(out).not.toContain(cli.env.HEADRACE_TOKEN);
  expect(cli.control.request).toMatchObject({ config: FILE, env: { HF_TOKEN: "hf_1" }, expectedRevision: 0 });
});

test("without a terminal a line per change, and no escape codes", async () => {
  await using cli = await setUp();
  cli.onSleep = () => {
    cli.control.view = ready;
  };
  const { code, out } = await cli.run("apply", "-f", cli.file, "-y");
  expect(code).toBe(EXIT.ok);
  const steps = out.split("\n").filter((line) => line.startsWith("+"));
  expect(steps).toEqual([
    "+0s chat-worker-1: starting",
    "+0s group worker: 0/1 ready",
    "+1s chat-worker-1: ready",
    "+1s group worker: 1/1 ready",
  ]);
  expect(out).not.toContain("\u001b");
});

test("what happens between two looks is told from the commits", async () => {
  await using cli = await setUp();
  const event = { type: "job.ended", service: "chat", replica: "chat-worker-1", message: "exit code 1" };
  cli.control.add({ ...commit(8), events: [event, { type: "job.ended", service: "other", message: "not ours" }] });
  cli.onSleep = async () => {
    // The stream of commits gets on meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    if (cli.out.includes("job.ended")) cli.control.view = ready;
  };
  const { out } = await cli.run("apply", "-f", cli.file, "-y");
  expect(out).toContain("job.ended chat-worker-1: exit code 1");
  expect(out).not.toContain("not ours");
});

test("--json: one document on standard output, the rest on standard error", async () => {
  await using cli = await setUp();
  cli.control.view = ready;
  const { out, err } = await cli.run("apply", "-f", cli.file, "-y", "--json");
  expect(JSON.parse(out)).toEqual({
    service: "chat",
    revision: 1,
    action: "create",
    version: 7,
    ready: true,
    url: `${SERVER}/proxy/services/main/chat/`,
  });
  expect(err).toContain("chat is ready");
});

test("-d does not wait", async () => {
  await using cli = await setUp();
  const { code, out } = await cli.run("apply", "-f", cli.file, "-y", "-d");
  expect(code).toBe(EXIT.ok);
  expect(out).toContain("headrace ps chat");
});

test("nothing to change: not asked, not applied, waited for", async () => {
  await using cli = await setUp();
  cli.control.planned = { ...cli.control.planned, action: "none", revision: 1 };
  cli.control.view = ready;
  const { code, out } = await cli.run("apply", "-f", cli.file);
  expect(out).toContain("chat is as the file says, at revision 1: nothing to do.");
  expect(code).toBe(EXIT.ok);
  expect(cli.control.changes).toEqual([]);
});

describe("what is not applied", () => {
  test("no", async () => {
    await using cli = await setUp();
    cli.terminal = true;
    cli.typed = [""];
    const { code, out } = await cli.run("apply", "-f", cli.file);
    expect(code).toBe(EXIT.failed);
    expect(out).toContain("Nothing was applied.");
    expect(cli.control.changes).toEqual([]);
  });

  test("no terminal and no -y", async () => {
    await using cli = await setUp();
    const { code, err } = await cli.run("apply", "-f", cli.file);
    expect(code).toBe(EXIT.usage);
    expect(err).toContain("-y");
    expect(cli.control.changes).toEqual([]);
  });

  test.each([
    ["type: fleet\nname: rack-1\nnodes: 2\n", "headrace host join --fleet rack-1"],
    ["type: gateway\nname: edge\nbackend: aws\nregion: eu-west-1\n", "/proxy/services/PROJECT/SERVICE/"],
    ["type: volume\nname: models\nbackend: aws\nregion: eu-west-1\nsize: 1TB\n", "volumes: [/mnt/models:/models]"],
  ])("what is valid and not made yet, with what to do instead: %s", async (text, instead) => {
    await using cli = await setUp();
    await writeFile(cli.file, text);
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("chat.yml is valid and not applied. ");
    expect(err).toContain(instead);
    expect(cli.control.changes).toEqual([]);
  });

  test("an invalid file, before any server is asked", async () => {
    await using cli = await setUp();
    await writeFile(cli.file, FILE.replace("8000", "eight"));
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain(`${cli.file}:3:7: port: `);
    expect(cli.requests).toEqual([]);
  });

  test("a variable that is not set", async () => {
    await using cli = await setUp();
    cli.env.HF_TOKEN = undefined;
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("-e HF_TOKEN=value");
    expect(cli.requests).toEqual([]);
  });

  test("what the plan says would be refused, in the same words and without a question", async () => {
    await using cli = await setUp();
    cli.control.planned = { ...cli.control.planned, action: "refused", refusal: "service chat is stopping" };
    const { code, err, out } = await cli.run("apply", "-f", cli.file);
    expect(code).toBe(EXIT.failed);
    expect(out).toContain("chat cannot be changed so now");
    expect(err).toBe("error: service chat is stopping.\nNothing was applied.\n");
    expect(cli.control.changes).toEqual([]);
  });

  test("another revision than the one that a pipeline has planned on", async () => {
    await using cli = await setUp();
    await cli.run("apply", "-f", cli.file, "-y", "-d");
    expect(cli.control.request?.expectedRevision).toBe(0);
    cli.control.plan = async (_caller, request) => {
      throw new ControlError("stale_plan", `planned on ${request.expectedRevision}`);
    };
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y", "--revision", "4");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("planned on 4");
  });

  test("somebody else was faster", async () => {
    await using cli = await setUp();
    const apply = cli.control.apply.bind(cli.control);
    cli.control.apply = async (caller, request, key) => {
      if (request.expectedRevision !== 5) throw new ControlError("conflict", "chat is at revision 5 now.");
      return apply(caller, request, key);
    };
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("error: chat is at revision 5 now.");
  });
});

describe("ends of the waiting", () => {
  test("the service was stopped by somebody", async () => {
    await using cli = await setUp();
    cli.onSleep = () => {
      cli.control.view = { ...starting, status: "stopping" };
    };
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y");
    expect(code).toBe(EXIT.failed);
    expect(err).toContain("chat will not get ready: it was stopped.");
  });

  test("not in time, with what it waits for", async () => {
    await using cli = await setUp();
    // The deadline is the only real clock here; the looks before it take no time.
    cli.onSleep = () => new Promise((resolve) => setImmediate(resolve));
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y", "--timeout", "0");
    expect(code).toBe(EXIT.notReady);
    expect(err).toContain("chat is not ready after 0s: waiting for worker.");
    expect(err).toContain("headrace logs chat");
  });

  test("Ctrl-C leaves the service and says so", async () => {
    await using cli = await setUp();
    cli.onSleep = () => cli.interrupt.abort();
    const { code, err } = await cli.run("apply", "-f", cli.file, "-y");
    expect(code).toBe(EXIT.interrupted);
    expect(err).toContain("The service stays");
  });

  test("a server that restarts is waited for", async () => {
    await using cli = await setUp();
    let looks = 0;
    cli.onSleep = () => {
      looks += 1;
      if (looks === 1) cli.faults.push(...Array.from({ length: 12 }, () => new TypeError("fetch failed")));
      if (cli.faults.length === 0) cli.control.view = ready;
    };
    const { code, out } = await cli.run("apply", "-f", cli.file, "-y");
    expect(code).toBe(EXIT.ok);
    expect(out).toContain("Still trying");
  });
});
