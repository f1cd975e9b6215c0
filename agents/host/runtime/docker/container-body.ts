import type { StartSpec } from "../types.ts";

/** What a container is created from, as the engine's API has it; what is not named here passes through. */
export interface ContainerBody {
  Env?: string[];
  Labels?: Record<string, string>;
  HostConfig?: { Ulimits?: { Name: string; Soft: number; Hard: number }[]; [field: string]: unknown };
  [field: string]: unknown;
}

/** How many files an attempt's log has: the engine removes the oldest for each new one. */
const LOG_FILES = 4;

/** Attempts whose containers are kept, the running one included: what the last one said before it ended is of use. */
export const ATTEMPTS_KEPT = 2;

/**
 * What this runtime itself needs of every container, over what was asked for:
 * - labels, by which it is found again;
 * - an init, so that a signal reaches the job at all (the first process of a container ignores what it does not
 *   handle), and its whole process group: that is what the variable tells it;
 * - no restarts by the engine: the agent does that, and counts;
 * - a log with a bound, in a form that can be read back.
 */
export function withRuntimeParts(body: ContainerBody, labels: Record<string, string>, logBytesMax: number) {
  const fileBytes = Math.max(1, Math.floor(logBytesMax / ATTEMPTS_KEPT / LOG_FILES / 1_024));
  return {
    ...body,
    Env: [...(body.Env ?? []), "TINI_KILL_PROCESS_GROUP=1"],
    Labels: { ...body.Labels, ...labels },
    HostConfig: {
      ...body.HostConfig,
      Init: true,
      AutoRemove: false,
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": `${fileBytes}k`, "max-file": String(LOG_FILES) } },
    },
  };
}

/** Linux's numbers of the limits that the engine can be asked to raise. */
const RLIMITS: Record<string, string> = { 6: "nproc", 7: "nofile", 8: "memlock" };

/**
 * What is left of a body whose start failed since the engine may not raise a limit, without that limit.
 * @returns null when it failed for another reason
 */
export function withoutRefusedLimit<T extends ContainerBody>(
  body: T,
  words: string,
): { body: T; limit: string } | null {
  const limit = RLIMITS[/error setting rlimit type (\d+)/.exec(words)?.[1] ?? ""];
  const limits = body.HostConfig?.Ulimits ?? [];
  if (limit === undefined || !limits.some((one) => one.Name === limit)) return null;
  const Ulimits = limits.filter((one) => one.Name !== limit);
  return { body: { ...body, HostConfig: { ...body.HostConfig, Ulimits } }, limit };
}

/** The program that a container begins with, where it must be in the image; null where the image decides. */
export function programOf({ launch }: StartSpec): string | null {
  const command = launch.container?.command;
  if (command?.kind === "argv") return command.argv[0] ?? null;
  return command?.kind === "shell" ? launch.shell : null;
}
