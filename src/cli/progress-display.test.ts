import { expect, test } from "vitest";
import { commit, SERVICE } from "../api/testing/fake-control.ts";
import type { ServiceView } from "../control/views/views.ts";
import type { Io, Screen } from "./io.ts";
import { progressDisplay } from "./progress-display.ts";

/** A terminal that keeps its lines: text, newlines, "n lines up" and "erase to the end" are all that a display uses. */
class Terminal implements Screen {
  readonly isTTY = true;
  readonly columns = 60;
  readonly rows: number;
  lines: string[] = [""];

  constructor(rows = 20) {
    this.rows = rows;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal reads
    for (const part of text.split(/(\u001b\[\d+A\u001b\[J|\n)/)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal reads
      const up = /^\u001b\[(\d+)A/.exec(part);
      if (up) this.lines = [...this.lines.slice(0, this.lines.length - 1 - Number(up[1])), ""];
      else if (part === "\n") this.lines.push("");
      else this.lines[this.lines.length - 1] += part;
    }
    for (const line of this.lines) expect(line.length).toBeLessThanOrEqual(this.columns);
  }
}

const io = { env: { NO_COLOR: "1" }, now: () => 61_000 } as unknown as Io;
const starting: ServiceView = {
  ...SERVICE,
  ready: false,
  message: "waiting for worker",
  replicas: [{ ...SERVICE.replicas[0]!, status: "starting", reason: "x".repeat(100) }],
};

test("the table is redrawn in place, and what happened stays above it", () => {
  const terminal = new Terminal();
  const display = progressDisplay(io, terminal, "chat");
  display.view(starting);
  expect(terminal.lines).toHaveLength(5);
  display.commit({ ...commit(8), events: [{ type: "job.ended", service: "chat", message: "exit code 1" }] });
  display.say("the server does not answer");
  display.view(SERVICE);
  display.end();
  expect(terminal.lines).toEqual([
    "job.ended chat: exit code 1",
    "the server does not answer",
    "chat revision 3, ready",
    "GROUP / REPLICA  STATUS     PLACE              SINCE  MESSA…",
    "worker           1/1 ready",
    "  chat-worker-1  ready      host-1:8000 gpu 0  1m",
    "",
  ]);
});

test("a table higher than the terminal is cut, so that it can be erased again", () => {
  const terminal = new Terminal(6);
  const display = progressDisplay(io, terminal, "chat");
  const replicas = Array.from({ length: 50 }, (_, i) => ({ ...SERVICE.replicas[0]!, id: `chat-worker-${i}` }));
  display.view({ ...SERVICE, replicas });
  const first = [...terminal.lines];
  expect(first.length).toBeLessThanOrEqual(6);
  expect(first.at(-2)).toBe("and 49 more");
  display.view({ ...SERVICE, replicas });
  expect(terminal.lines).toEqual(first);
});
