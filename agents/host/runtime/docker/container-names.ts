import { shortHash } from "../process/folder.ts";

/**
 * What marks a container as a job's. All that this runtime knows of its jobs it reads back from here and from the
 * engine, so that an agent that starts anew knows what the last one knew.
 */
const LABELS = {
  agent: "headrace.agent",
  job: "headrace.job",
  replica: "headrace.replica",
  attempt: "headrace.attempt",
  image: "headrace.image",
} as const;

/** One attempt of a job; each is a container of its own. */
export interface AttemptName {
  job: string;
  replica: string;
  attempt: number;
  /** As it was asked for. */
  image: string;
}

export interface Attempt extends AttemptName {
  /** The container's id. */
  id: string;
  /** As the engine's list of containers has it. */
  state: string;
}

/** Tells this agent's containers from those of another one on the same engine. */
export function agentName(dataDir: string): string {
  return shortHash(dataDir);
}

/** The same for the same attempt: of two that would start it only one can make the container. */
export function containerName(agent: string, { job, attempt }: Pick<AttemptName, "job" | "attempt">): string {
  return `headrace-${agent}-${job}.${attempt}`;
}

/** The label by which an agent's containers are found, as `name=value`. */
export function agentLabel(agent: string): string {
  return `${LABELS.agent}=${agent}`;
}

/** Labels to look for: all containers of the agent, or those of one job. */
export function wantedLabels(agent: string, job: string | null): Record<string, string> {
  return job === null ? { [LABELS.agent]: agent } : { [LABELS.agent]: agent, [LABELS.job]: job };
}

export function labelsOf(agent: string, { job, replica, attempt, image }: AttemptName): Record<string, string> {
  return {
    [LABELS.agent]: agent,
    [LABELS.job]: job,
    [LABELS.replica]: replica,
    [LABELS.attempt]: String(attempt),
    [LABELS.image]: image,
  };
}

type ListedContainer = Pick<Attempt, "id" | "state"> & { labels: Record<string, string> };

/** @returns null for a container that somebody else has given our labels in part */
export function readLabels({ labels, ...container }: ListedContainer): Attempt | null {
  const [job, replica, image] = [labels[LABELS.job], labels[LABELS.replica], labels[LABELS.image]];
  const attempt = Number(labels[LABELS.attempt]);
  if (job === undefined || replica === undefined || image === undefined) return null;
  return Number.isInteger(attempt) ? { ...container, job, replica, attempt, image } : null;
}
