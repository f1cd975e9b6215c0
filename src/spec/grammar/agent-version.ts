import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** A build of the agent, or enough of its start to tell it from others. */
const BUILD = /^[0-9a-f]{12,64}$/;

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
