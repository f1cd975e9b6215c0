import { afterProgram, readFlags } from "./launch-flags.ts";
import { movablePort, readServicePort, servicePort } from "./ports.ts";
import { getProbe } from "./probes.ts";
import { generateSmg, KEY_FLAGS } from "./smg-launch.ts";
import { addWorker, readWorkers, removeWorker } from "./smg-workers.ts";
import type { RouterAdapter } from "./types.ts";

/** Defaults of SMG's own flags, 1.13.0. */
const PORT_DEFAULT = 30_000;
const METRICS_PORT_DEFAULT = 29_000;

/** `/health` only says that the process lives; it answers within a millisecond. */
const HEALTH_TIMEOUT_S = 5;
const HEALTH_INTERVAL_S = 5;

/** The router SMG (Shepherd Model Gateway, formerly SGLang's router) in HTTP mode. */
export const smg: RouterAdapter = {
  name: "smg",
  generate: generateSmg,

  readLaunch(commands, context) {
    const words = afterProgram(commands, ["smg", "launch"]);
    const flags = readFlags(words ?? [], context.env);
    const metrics = movablePort(
      "metrics",
      flags.value("--prometheus-port"),
      METRICS_PORT_DEFAULT,
      "HEADRACE_METRICS_PORT",
    );
    if (!words) {
      const warning = "no `smg launch` was found in the commands; its flags, and so its ports, are not known";
      return { ports: [servicePort(context), metrics], warnings: [warning] };
    }
    const service = readServicePort("SMG", flags, PORT_DEFAULT, context);
    const warnings = [...service.warnings];
    if (!flags.has("--api-key", "--control-plane-api-keys")) {
      warnings.push(
        "whoever reaches SMG's port can add and remove its workers; " +
          `add \`${KEY_FLAGS}\`, or keep the port behind a firewall`,
      );
    }
    return { ports: [service.claim, metrics], warnings };
  },

  probe: getProbe("/health", { timeout: HEALTH_TIMEOUT_S, interval: HEALTH_INTERVAL_S }),

  // It waits to be connected to: workers are told of to it, and tell it nothing.
  dials: (["worker", "prefill", "decode"] as const).map((to) => ({ from: "router", to, port: "service" })),

  // 503 until it could serve: with `--pd-disaggregation` until one prefill and one decode are ready.
  readiness: { question: { method: "GET", path: "/readiness" }, read: (status) => status === 200 },

  authorization: (key) => ({ name: "authorization", value: `Bearer ${key}` }),
  list: { question: { method: "GET", path: "/workers" }, read: readWorkers },
  add: addWorker,
  remove: removeWorker,
  // Without any worker: 503 with the first under `--pd-disaggregation`, else 404 with the second, as for a wrong model.
  noWorker: { header: "x-smg-error-code", codes: ["no_available_workers", "model_not_found"] },
};
