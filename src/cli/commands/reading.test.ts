import { describe, expect, test } from "vitest";
import { commit, SERVICE } from "../../api/testing/fake-control.ts";
import { streamOf } from "../../link/flows.ts";
import { EXIT } from "../exit-codes.ts";
import { Cli } from "../testing/run.ts";

const EVENT = { type: "replica.ready", service: "chat", replica: "chat-worker-1", message: "its probes pass" };

describe("ps", () => {
  test("a row per service", async () => {
    await using cli = await Cli.create();
    const { out } = await cli.run("ps");
    expect(out).toBe("NAME  STATUS  READY       REVISION  MODEL  MESSAGE\nchat  ready   worker 1/1  3         qwen\n");
  });

  test("one service with its replicas", async () => {
    await using cli = await Cli.create();
    cli.time = SERVICE.replicas[0]!.since + 65_000;
    const { out } = await cli.run("ps", "chat");
    expect(out.split("\n")).toEqual([
      "chat revision 3, ready",
      "GROUP / REPLICA  STATUS     PLACE              SINCE  MESSAGE",
      "worker           1/1 ready",
      "  chat-worker-1  ready      host-1:8000 gpu 0  1m5s",
      "",
    ]);
  });

  test("--json is one document", async () => {
    await using cli = await Cli.create();
    expect(JSON.parse((await cli.run("ps", "--json")).out)).toEqual([SERVICE]);
    expect(JSON.parse((await cli.run("ps", "chat", "--json")).out)).toEqual(SERVICE);
  });

  test("no services: nothing on standard output but a hint elsewhere", async () => {
    await using cli = await Cli.create();
    cli.control.view = null;
    expect(await cli.run("ps")).toEqual({ code: 0, out: "", err: expect.stringContaining("headrace apply -f FILE") });
    expect((await cli.run("ps", "--json")).out).toBe("[]\n");
  });
});

describe("logs", () => {
  test("of all replicas, each line with its replica; of one, as they are", async () => {
    await using cli = await Cli.create();
    expect((await cli.run("logs", "chat")).out).toBe("chat-worker-1 | one\nchat-worker-1 | two\n");
    expect((await cli.run("logs", "chat", "--replica", "chat-worker-1", "--tail", "5")).out).toBe("one\ntwo\n");
    expect(cli.requests.at(-1)!.url).toContain("replica=chat-worker-1&tail=5&follow=false");
  });

  test("--json is a line for each", async () => {
    await using cli = await Cli.create();
    const lines = (await cli.run("logs", "chat", "--json")).out.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).text)).toEqual(["one", "two"]);
  });

  test("a replica's that breaks off is named, the others' go on, and it fails in the end", async () => {
    await using cli = await Cli.create();
    const line = (text: string) => ({ replica: "chat-worker-1", ageMs: 5, attempt: 1, text });
    const message = "the log of chat-worker-2 breaks off here";
    const unread = { replica: "chat-worker-2", error: { code: "unavailable", message } };
    const lines = [line("one"), unread, line("two")].map((each) => `${JSON.stringify(each)}\n`);
    cli.control.logs = async () => streamOf(new TextEncoder().encode(lines.join("")));
    expect(await cli.run("logs", "chat")).toEqual({
      code: EXIT.failed,
      out: "chat-worker-1 | one\nchat-worker-1 | two\n",
      err: `warning: ${message}.\nerror: Some of the log is missing, as the warnings say.\nRun it again.\n`,
    });
  });

  test("-f goes on until Ctrl-C", async () => {
    await using cli = await Cli.create();
    const run = cli.run("logs", "chat", "-f");
    await expect.poll(() => cli.out).toBe("chat-worker-1 | one\n");
    cli.interrupt.abort(new Error("interrupted"));
    expect(await run).toMatchObject({ code: EXIT.interrupted, err: "" });
  });
});

describe("events", () => {
  test("the newest, oldest first", async () => {
    await using cli = await Cli.create();
    const joined = { type: "host.joined", host: "box", message: "" };
    cli.control.add(commit(1), { ...commit(2), events: [EVENT, joined] }, commit(3));
    const { out } = await cli.run("events", "-n", "2");
    expect(out).toBe(
      "1970-01-01T00:00:02Z  replica.ready chat-worker-1: its probes pass\n" +
        "1970-01-01T00:00:02Z  host.joined box\n1970-01-01T00:00:03Z  apply by ann\n",
    );
  });

  test("-f goes on until Ctrl-C", async () => {
    await using cli = await Cli.create();
    cli.control.add(commit(1));
    const run = cli.run("events", "-f", "--json");
    await expect.poll(() => cli.out).toContain('"version":1,');
    cli.control.add(commit(2));
    await expect.poll(() => cli.out).toContain('"version":2,');
    cli.interrupt.abort(new Error("interrupted"));
    const { code, out } = await run;
    expect(code).toBe(EXIT.interrupted);
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([commit(1), commit(2)]);
  });
});
