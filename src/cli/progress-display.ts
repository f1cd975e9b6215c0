import type { CommitView, ServiceView } from "../control/views/views.ts";
import { eventText } from "./commit-lines.ts";
import type { Io, Screen } from "./io.ts";
import { changeLines } from "./progress.ts";
import { serviceHeadline, serviceTable } from "./service-table.ts";
import { colorsFor } from "./style.ts";
import { cut } from "./table.ts";
import { showSpan } from "./time-span.ts";

/** Shows how a service gets on. */
export interface Display {
  commit(commit: CommitView): void;
  view(view: ServiceView): void;
  /** Something about the watching itself. */
  say(line: string): void;
  /** The last thing that is called. */
  end(): void;
}

/** A table redrawn in place on a terminal, else a line per change. */
export function progressDisplay(io: Io, screen: Screen, service: string): Display {
  const fancy = screen.isTTY && io.env.TERM !== "dumb";
  return fancy ? redrawn(io, screen, service) : lineByLine(io, screen, service);
}

function lineByLine(io: Io, screen: Screen, service: string): Display {
  const start = io.now();
  let last: ServiceView | null = null;
  const print = (line: string) => screen.write(`+${showSpan(io.now() - start)} ${line}\n`);
  return {
    commit: (commit) => eventsOf(commit, service).forEach(print),
    view: (view) => {
      changeLines(last, view).forEach(print);
      last = view;
    },
    say: print,
    end: () => {},
  };
}

function redrawn(io: Io, screen: Screen, service: string): Display {
  const colors = colorsFor(screen, io.env);
  let drawn: string[] = [];
  const erase = () => (drawn.length === 0 ? "" : `\u001b[${drawn.length}A\u001b[J`);
  /** Lines that stay, above the table. They are never erased, so they may wrap. */
  const above = (lines: string[]) => screen.write(erase() + [...lines, ...drawn].map((line) => `${line}\n`).join(""));
  return {
    commit: (commit) => above(eventsOf(commit, service).map(colors.dim)),
    view: (view) => {
      const lines = [serviceHeadline(view, colors), ...serviceTable(view, io.now(), colors)];
      // A table higher than the terminal could not be erased again. One row is the cursor's.
      const room = Math.max(2, screen.rows - 2);
      const shown = lines.length <= room ? lines : [...lines.slice(0, room), `and ${lines.length - room} more`];
      const next = shown.map((line) => cut(line, screen.columns));
      screen.write(erase() + next.map((line) => `${line}\n`).join(""));
      drawn = next;
    },
    say: (line) => above([line]),
    end: () => {
      drawn = [];
    },
  };
}

function eventsOf(commit: CommitView, service: string): string[] {
  return commit.events.filter((event) => event.service === service).map(eventText);
}
