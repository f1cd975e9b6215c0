import type { Compatibility } from "./bundle.ts";

/** Where the parts of a control plane on workerd are. */
export interface WorkerdPlace {
  /** Name of the Worker's bundle, in the folder of the configuration. */
  bundle: string;
  /** Where it serves; 127.0.0.1 where nothing else is said. */
  host?: string | undefined;
  port: number;
  /** The port of 127.0.0.1 on which any request stands for one ring of the cron trigger. */
  cronPort: number;
  /** Keeps the storage of the Durable Objects. */
  stateFolder: string;
  databaseUrl: string;
  /** Other than the last one, it stands for a deployment in between. */
  version: string;
}

/** Variables that `headrace deploy edge` sets as secrets; they are taken from the process's environment. */
const SECRETS = ["HEADRACE_KEY", "HEADRACE_DATABASE_TOKEN", "HEADRACE_AGENT_URL"] as const;

/** Rings the Worker's cron trigger, since workerd alone has no clock for it. */
export const CRON_MODULE = `export default {
  async fetch(request, env) {
    const { outcome } = await env.HEADRACE.scheduled({ cron: "* * * * *", scheduledTime: new Date() });
    return new Response(outcome, { status: outcome === "ok" ? 200 : 500 });
  },
};
`;

/**
 * A configuration of workerd for the Worker as `wrangler.jsonc` describes it to the platform.
 * @param compatibility as `wrangler.jsonc` has it
 */
export function workerdConfig(place: WorkerdPlace, compatibility: Compatibility): string {
  const text = (value: string) => JSON.stringify(value);
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "headrace", worker = .headrace),
    (name = "cron", worker = .cron),
    (name = "state", disk = (path = ${text(place.stateFolder)}, writable = true)),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [
    (name = "http", address = "${place.host ?? "127.0.0.1"}:${place.port}", http = (), service = "headrace"),
    (name = "cron", address = "127.0.0.1:${place.cronPort}", http = (), service = "cron"),
  ],
);

const headrace :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${text(place.bundle)})],
  compatibilityDate = ${text(compatibility.date)},
  compatibilityFlags = ${JSON.stringify(compatibility.flags)},
  bindings = [
    (name = "PROJECT", durableObjectNamespace = "ProjectObject"),
    (name = "LINK", durableObjectNamespace = "LinkObject"),
    (name = "HEADRACE_DATABASE_URL", text = ${text(place.databaseUrl)}),
    (name = "VERSION", json = ${text(JSON.stringify({ id: place.version }))}),
${SECRETS.map((name) => `    (name = "${name}", fromEnvironment = "${name}"),`).join("\n")}
  ],
  durableObjectNamespaces = [
    (className = "ProjectObject", uniqueKey = "headrace-project", enableSql = true),
    (className = "LinkObject", uniqueKey = "headrace-link", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "state"),
);

const cron :Workerd.Worker = (
  modules = [(name = "cron.js", esModule = embed "cron.js")],
  compatibilityDate = ${text(compatibility.date)},
  compatibilityFlags = ["service_binding_extra_handlers"],
  bindings = [(name = "HEADRACE", service = "headrace")],
);
`;
}
