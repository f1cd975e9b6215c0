import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** How much of a build's name people are shown, and a file needs to name it. */
const SHOWN_CHARS = 12;

/** A build of the agent, or enough of its start to tell it from others. */
const BUILD = new RegExp(`^[0-9a-f]{${SHOWN_CHARS},64}$`);

/** A build as people are shown it. */
export function shortBuild(build: string): string {
  return build.slice(0, SHOWN_CHARS);
}

/**
 * Which build of the agent hosts run: `server`, the one that the server gives out; `hold`, the one that each runs now;
 * or a build.
 */
export function readAgentVersion(written: string): Result<string> {
  if (written === "server" || written === "hold" || BUILD.test(written)) return good(written);
  return bad(
    `${quote(written)} is no build of the agent; write \`server\` for the one that the server gives out, \`hold\` to ` +
      "leave the agents as they are, or a build as `headrace fleet list` shows it, such as `4f2a90bb13c7`.",
  );
}
