import { type LaunchFlags, variableOf } from "./launch-flags.ts";
import type { LaunchContext, PortClaim } from "./types.ts";

/**
 * The port of the service itself: the one of the spec, since probes and requests go there, or the one that
 * `HEADRACE_PORT` names where the line uses that. A line that binds another one is warned of: it may still be right
 * where the commands start something else on the service's port.
 * @param program its name in messages
 * @param defaultPort the port the program binds when its line has no `--port`
 */
export function readServicePort(
  program: string,
  flags: LaunchFlags,
  defaultPort: number,
  context: LaunchContext,
): { claim: PortClaim; warnings: string[] } {
  const written = flags.value("--port");
  const number = portNumber(written ?? "");
  const claim: PortClaim = number === null ? servicePort(context) : { ...servicePort(context), env: null };
  // Where nothing is written the default holds, unless a configuration file or a variable may say otherwise.
  const mayDiffer = written !== null || claim.env !== null || flags.has("--config");
  const bound = number ?? (mayDiffer ? null : defaultPort);
  if (bound === null || bound === context.servicePort) return { claim, warnings: [] };
  const found = number === null ? `without \`--port\` ${program} listens on ${bound}` : `\`--port ${bound}\` is given`;
  const advice = `write \`--port ${context.servicePort}\`, or \`--port $HEADRACE_PORT\` so that several replicas can share a host`;
  const warning = `${found}, but probes and requests go to the service's port ${context.servicePort}; ${advice}`;
  return { claim, warnings: [warning] };
}

/** The service's port as far as it is known without reading a launch line. */
export function servicePort(context: LaunchContext): PortClaim {
  const flexible = context.mentions("HEADRACE_PORT");
  return { name: "service", port: context.servicePort, env: flexible ? "HEADRACE_PORT" : null };
}

/** A port that a flag moves: `value` is what the line gives for it, null when the flag is absent. */
export function movablePort(
  name: PortClaim["name"],
  value: string | null,
  defaultPort: number,
  variable: NonNullable<PortClaim["env"]>,
): PortClaim {
  if (variableOf(value ?? "") === variable) return { name, port: defaultPort, env: variable };
  return { name, port: portNumber(value ?? "") ?? defaultPort, env: null };
}

/** @returns null for what is no port number. */
function portNumber(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}
