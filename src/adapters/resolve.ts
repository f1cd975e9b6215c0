import { interpolate, referencesOf, writeReference } from "../spec/grammar/interpolation.ts";
import type { EnvSpec, GroupSpec, ProbeSpec, ServiceSpec } from "../spec/types.ts";
import { ENGINES, routerAdapter } from "./known.ts";
import { mentions } from "./launch-flags.ts";
import { servicePort } from "./ports.ts";
import { chatProbe } from "./probes.ts";
import { readCommands } from "./shell-words.ts";
import type { EngineAdapter, LaunchContext, LaunchReading, ResolvedGroup } from "./types.ts";

/**
 * Reads out of a group what the spec leaves to its commands: role, engine, ports and default probes. Everything written
 * in the spec wins over what is read. A router without an adapter (dynamo) gets the service's port and no more: whoever
 * places it refuses it first.
 */
export function resolveGroup(service: ServiceSpec, group: GroupSpec): ResolvedGroup {
  const written = commandsOf(group);
  const texts = written.map((command) => interpolate(command, writeReference));
  const commands = texts.flatMap(readCommands);
  const context = launchContext(service, group, texts);
  if (group.router) {
    const adapter = routerAdapter(group.router.type);
    const launch = adapter?.readLaunch(commands, context);
    return {
      commands: written,
      role: "router",
      engine: null,
      router: group.router.type,
      ports: launch?.ports ?? [servicePort(context)],
      probes: group.probes ?? requestProbes(service) ?? (adapter ? [adapter.probe] : []),
      warnings: launch?.warnings ?? [],
    };
  }
  const found = findEngine(commands, context);
  return {
    commands: written,
    role: found?.launch.role ?? context.role ?? "worker",
    engine: found?.engine.name ?? null,
    router: null,
    ports: found?.launch.ports ?? [servicePort(context)],
    probes: group.probes ?? workerProbes(service, context, found?.engine),
    warnings: found?.launch.warnings ?? [],
  };
}

/** What a group runs; its texts may hold references. */
function commandsOf({ router, commands }: GroupSpec): string[] {
  const made = router?.generated && routerAdapter(router.type)?.generate(router.generated);
  return made ?? commands;
}

/** @param texts the commands as their shell gets them, but for what is filled in only when they are placed */
function launchContext(service: ServiceSpec, group: GroupSpec, texts: string[]): LaunchContext {
  return {
    env: knownEnv(group.env),
    servicePort: group.port,
    role: group.role === "router" ? null : group.role,
    behindRouter: group.router === null && service.groups.some((other) => other.router !== null),
    mentions: (variable) => mentions(texts, variable),
  };
}

/** What is known of the environment before it is started: what a reference stands for is not. */
function knownEnv(env: EnvSpec): EnvSpec {
  const known = (value: string | null) =>
    value === null || referencesOf(value).length > 0 ? null : interpolate(value, writeReference);
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, known(value)]));
}

function findEngine(
  commands: string[][],
  context: LaunchContext,
): { engine: EngineAdapter; launch: LaunchReading } | null {
  for (const engine of ENGINES) {
    const launch = engine.readLaunch(commands, context);
    if (launch) return { engine, launch };
  }
  return null;
}

/** The probe of what faces requests; null where the service names no model to ask. */
function requestProbes(service: ServiceSpec): ProbeSpec[] | null {
  return service.model ? [chatProbe(service.model)] : null;
}

/**
 * A worker behind a router is asked by its engine's own probe: a prefill cannot answer a chat alone. One that faces
 * requests itself is asked what requests ask, or its engine's probe where there is no model. Of an engine that is not
 * known nothing can be asked: it is ready when it runs.
 */
function workerProbes(service: ServiceSpec, context: LaunchContext, engine: EngineAdapter | undefined): ProbeSpec[] {
  const asRequests = context.behindRouter ? null : requestProbes(service);
  return asRequests ?? (engine ? [engine.probe] : []);
}
