import type { Action, Answer } from "../../agents/host/decide/types.ts";
import type { DesiredState } from "../../src/wire/index.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

export type Question = Extract<Action, { kind: "ask" | "list" | "add" | "delete" | "reach" | "hear" }>;

/** What an answer takes on the machine itself. */
const ANSWER_MS = { min: 1, max: 8 };
/** As in agents/host: who does not answer is given up after this; a connection after half a second. */
const TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 500;

/**
 * What the processes of a machine answer to the agent's questions: when, and what, which is made when it is due so that
 * it tells what is so then.
 */
export function answerQuestion(
  world: World,
  machine: Machine,
  question: Question,
  desired: DesiredState | null,
): { ms: number; answer: () => Answer } {
  const soon = world.random.int(ANSWER_MS.min, ANSWER_MS.max);
  if (question.kind === "reach") {
    const { url } = question;
    const ok = world.reach(machine, url) !== null;
    return { ms: ok ? soon : CONNECT_TIMEOUT_MS, answer: () => ({ kind: "reached", url, ok }) };
  }
  if (question.kind === "hear") {
    const { url } = question;
    const ok = !world.reach(machine, url)?.hangs;
    return { ms: ok ? soon : TIMEOUT_MS, answer: () => ({ kind: "heard", url, ok }) };
  }
  const port = desired?.jobs.find((job) => job.job === question.job)?.port;
  const asked = port === undefined ? null : machine.listener(port);
  const ms = asked?.hangs ? TIMEOUT_MS : soon;
  return { ms, answer: () => answerOf(question, asked?.serves ? asked : null, asked === null) };
}

function answerOf(
  question: Exclude<Question, { kind: "reach" | "hear" }>,
  process: Process | null,
  refused: boolean,
): Answer {
  const { job, incarnation } = question;
  const name = { job, incarnation };
  const smg = process?.smg ?? null;
  const detail = process === null ? "no answer" : "";
  switch (question.kind) {
    case "list":
      return { kind: "listed", ...name, workers: smg?.list() ?? null };
    case "add":
      if (smg?.accepts) smg.add(question.worker);
      return { kind: "added", ...name, url: question.worker.url, ok: smg?.accepts ?? false, detail };
    case "delete":
      smg?.remove(question.handle);
      return { kind: "removed", ...name, handle: question.handle, ok: smg !== null, detail };
    case "ask":
      break;
  }
  switch (question.check) {
    case "identify": {
      const role = process === null || process.role === "router" ? null : process.role;
      const identity = role === null ? null : { role, bootstrapPort: process?.bootstrapPort ?? null };
      return { kind: "identified", ...name, identity, detail };
    }
    case "idle":
      return { kind: "idle", ...name, idle: process === null ? null : process.inFlight.size === 0, refused };
    case "readiness":
      return { kind: "checked", ...name, check: question.check, ok: smg?.isReady() ?? false, detail: "not ready" };
    default:
      return { kind: "checked", ...name, check: question.check, ok: process !== null && !process.isSick, detail };
  }
}
