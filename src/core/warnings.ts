import { hasRouter, revisionGroups } from "./revision.ts";
import type { RevisionEntity } from "./state.ts";

/** What is worth saying to whoever applies a spec that is right as it stands; one sentence each. */
export function planWarnings(revision: RevisionEntity): string[] {
  const warnings: string[] = [];
  if (!revision.spec.stripPrefix && hasRouter(revision)) {
    warnings.push(
      "`strip_prefix: false` makes the router see `/proxy/services/...` in every path, which it does not serve",
    );
  }
  warnings.push(...filesWarnings(revision));
  for (const [name, { resolved }] of revisionGroups(revision)) {
    const warn = (message: string) => warnings.push(`group ${name}: ${message}`);
    for (const message of resolved.warnings) warn(message);
  }
  return warnings;
}

/** Hosts refuse these, since a process, unlike a container, has nothing of its own outside of its job's folder. */
function filesWarnings({ spec }: RevisionEntity): string[] {
  const outside = spec.files.map(({ path }) => path).filter(leadsOut);
  const warnings: string[] = [];
  if (outside.length > 0) {
    warnings.push(
      `no replica will start: ${outside.map((path) => `\`${path}\``).join(", ")} under \`files\` lies outside of the folder that a job has; ` +
        "until hosts run containers, write a path relative to where the commands start, e.g. `./app:app`",
    );
  }
  if (spec.files.length > 0 && spec.workingDir !== null) {
    warnings.push(
      "no replica will start: until hosts run containers, `files` lie where commands start without `working_dir`; leave `working_dir` out",
    );
  }
  return warnings;
}

function leadsOut(path: string): boolean {
  if (path.startsWith("/")) return true;
  let depth = 0;
  for (const part of path.replace(/^~(\/|$)/, "").split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
