import type { CommitView } from "../control/views/views.ts";
import { type Colors, oneLine } from "./style.ts";
import { showInstant } from "./time-span.ts";

type Event = CommitView["events"][number];

/** A commit for people: a line for each thing that happened, or one that names its cause. */
export function commitLines(commit: CommitView, colors: Colors): string[] {
  const when = colors.dim(showInstant(commit.at));
  if (commit.events.length === 0) return [`${when}  ${commit.cause} by ${oneLine(commit.actor)}`];
  return commit.events.map((event) => `${when}  ${eventText(event)}`);
}

/** `replica.ready chat-decode-2: its probes pass` */
export function eventText(event: Event): string {
  const subject = event.replica ?? event.service ?? event.host ?? event.group;
  const what = subject === undefined ? event.type : `${event.type} ${subject}`;
  return event.message === "" ? what : `${what}: ${oneLine(event.message)}`;
}
