import * as z from "zod";
import { readJson } from "./json.ts";
import { afterProgram, type LaunchFlags, readFlags } from "./launch-flags.ts";
import { movablePort, readServicePort } from "./ports.ts";
import { getProbe } from "./probes.ts";
import { readSglangIdle } from "./sglang-load.ts";
import type { EngineAdapter, LaunchReading } from "./types.ts";

/** `python -m sglang.launch_server` is the older spelling of `sglang serve`. */
const PROGRAMS = [
  ["-m", "sglang.launch_server"],
  ["sglang", "serve"],
];

/** Defaults of SGLang's own flags, 0.5.10 to 0.5.23. */
const PORT_DEFAULT = 30_000;
const BOOTSTRAP_PORT_DEFAULT = 8998;

/**
 * SGLang's `/health` generates a token: it takes at least 1 s and gives up by itself after 20 s, so a shorter limit
 * would fail a worker that is only busy.
 */
const HEALTH_TIMEOUT_S = 25;
const HEALTH_INTERVAL_S = 5;

const MODES = new Map<string, LaunchReading["role"]>([
  ["null", "worker"],
  ["prefill", "prefill"],
  ["decode", "decode"],
]);

const serverInfo = z.object({
  disaggregation_mode: z.enum(["null", "prefill", "decode"]).nullable(),
  // What is no port counts as not said: it would make the whole report of its host unreadable.
  disaggregation_bootstrap_port: z.int().min(1).max(65535).nullish().catch(null),
});

/** The engine SGLang, over HTTP. */
export const sglang: EngineAdapter = {
  name: "sglang",

  readLaunch(commands, context) {
    const words = PROGRAMS.map((program) => afterProgram(commands, program)).find((found) => found !== null);
    if (!words) return null;
    const flags = readFlags(words, context.env);
    const mode = readMode(flags);
    const role = context.role ?? mode.role;
    const service = readServicePort("SGLang", flags, PORT_DEFAULT, context);
    const ports = [service.claim];
    if (role === "prefill") {
      const written = flags.value("--disaggregation-bootstrap-port");
      ports.push(movablePort("bootstrap", written, BOOTSTRAP_PORT_DEFAULT, "HEADRACE_BOOTSTRAP_PORT"));
    }
    const warnings = [...mode.warnings, ...service.warnings];
    if (context.role !== null && mode.readable && mode.role !== context.role) {
      warnings.push(
        `the role is ${context.role}, but the commands start a ${mode.role}; the worker will not be listed until ` +
          "`role` and `--disaggregation-mode` agree",
      );
    }
    if (context.behindRouter && !flags.has("--host", "--config")) {
      warnings.push(
        "without `--host` SGLang listens on 127.0.0.1, where a router on another host cannot reach it; " +
          "write `--host 0.0.0.0`",
      );
    }
    return { role, ports, warnings };
  },

  probe: getProbe("/health", { timeout: HEALTH_TIMEOUT_S, interval: HEALTH_INTERVAL_S }),

  // A decode asks the prefill where to fetch, and the prefill then writes the cache to it. For that they agree on ports
  // when they run, so that the decode's own one stands for them.
  dials: [
    { from: "decode", to: "prefill", port: "bootstrap" },
    { from: "prefill", to: "decode", port: "service" },
  ],

  identify: {
    question: { method: "GET", path: "/server_info" },
    read(status, body) {
      const info = readJson(serverInfo, status, body);
      if (!info) return null;
      const role = MODES.get(info.disaggregation_mode ?? "null") ?? "worker";
      const bootstrapPort = role === "prefill" ? (info.disaggregation_bootstrap_port ?? BOOTSTRAP_PORT_DEFAULT) : null;
      return { role, bootstrapPort };
    },
  },

  idle: {
    question: { method: "GET", path: "/v1/loads?include=core,disagg,queues" },
    read: readSglangIdle,
  },
};

function readMode(flags: LaunchFlags): { role: LaunchReading["role"]; readable: boolean; warnings: string[] } {
  const written = flags.value("--disaggregation-mode");
  const role = MODES.get(written ?? "null");
  if (role !== undefined) return { role, readable: written !== null || !flags.has("--config"), warnings: [] };
  return {
    role: "worker",
    readable: false,
    warnings: [
      `\`--disaggregation-mode ${written}\` cannot be read here; write prefill or decode, or give the group a \`role\``,
    ],
  };
}
