import type { DesiredState } from "../../../src/wire/index.ts";
import type { Machine } from "../machine.ts";

/** A host is told of its own project, and of what is for itself. */
export function projectsApart(machine: Machine, desired: DesiredState): string | null {
  const { project, host } = machine.spec;
  if (desired.project !== project || desired.host !== host) {
    return `${machine.name} of ${project} is told of ${desired.host} of ${desired.project}`;
  }
  const other = desired.jobs.find((job) => job.launch.env.HEADRACE_PROJECT !== project);
  return other ? `${machine.name} of ${project} shall run ${other.job} of ${other.launch.env.HEADRACE_PROJECT}` : null;
}

/** A desired state is never taken over by an older one. */
export function neverBackwards(machine: Machine, desired: DesiredState): string | null {
  const held = machine.agent?.held?.version ?? 0;
  return desired.version < held ? `${machine.name} goes from version ${held} to ${desired.version}` : null;
}
