// Stands in for the programs of inference engines that examples start: it takes their flags and no others, listens where
// they would, and answers what callers and probes ask. An answer tells how it was started.
//
//   node stand-in-engine.js PROGRAM ARGUMENTS...
// @ts-check
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { parseArgs } from "node:util";

const [program = "", ...args] = process.argv.slice(2);

/** The flags that each program is started with, and the names it gives to where it listens and to its model. */
const PROGRAMS = {
  vllm: {
    flags: ["host", "port", "max-model-len", "tensor-parallel-size", "served-model-name", "kv-transfer-config"],
    model: "served-model-name",
  },
  "text-generation-launcher": { flags: ["model-id", "hostname", "port", "num-shard"], model: "model-id" },
  "text-embeddings-router": { flags: ["model-id", "hostname", "port"], model: "model-id" },
  "trtllm-serve": { flags: ["host", "port", "tp_size"], model: "" },
  "llama-server": { flags: ["hf", "api-prefix", "host", "port"], model: "" },
};

if (program === "ollama") await ollama(args);
else if (program === "lmcache_server") lmcache(args);
else if (program in PROGRAMS) serveAs(/** @type {keyof typeof PROGRAMS} */ (program));
else throw new Error(`no stand-in for ${program}`);

/** @param {keyof typeof PROGRAMS} name */
function serveAs(name) {
  const { flags, model } = PROGRAMS[name];
  const { values, positionals } = parseArgs({
    // llama.cpp writes a long name with one dash.
    args: args.map((word) => (word === "-hf" ? "--hf" : word)),
    options: Object.fromEntries(flags.map((flag) => [flag, { type: /** @type {const} */ ("string") }])),
    allowPositionals: name === "vllm" || name === "trtllm-serve",
  });
  serve({
    host: values.host ?? values.hostname ?? "",
    port: Number(values.port),
    prefix: values["api-prefix"] ?? "",
    // llama.cpp answers to any name.
    models: name === "llama-server" ? null : [values[model] ?? positionals.at(-1) ?? ""],
  });
}

/** @param {string[]} words */
async function ollama([command, ...words]) {
  const address = process.env.OLLAMA_HOST ?? "";
  const ask = (/** @type {string} */ path) => fetch(`http://${address}${path}`, { method: "POST" });
  if (command === "serve") {
    const [host = "", port] = address.split(":");
    serve({ host, port: Number(port), prefix: "", models: [] });
  } else if (command === "list") await ask("/api/tags");
  else if (command === "pull") await ask(`/api/pull/${encodeURIComponent(words[0] ?? "")}`);
  else throw new Error(`no stand-in for ollama ${command}`);
}

/** @param {string[]} words */
function lmcache([host, port]) {
  createTcpServer().listen(Number(port), host);
}

/**
 * @param {{host: string, port: number, prefix: string, models: string[] | null}} options models: null = any
 */
function serve({ host, port, prefix, models }) {
  const { HF_TOKEN = null, LMCACHE_REMOTE_URL = null, MODEL_ID = null } = process.env;
  const started = JSON.stringify({ program, args, env: { HF_TOKEN, LMCACHE_REMOTE_URL, MODEL_ID } });
  createServer(async (request, response) => {
    const path = request.url ?? "";
    let text = "";
    for await (const chunk of request) text += chunk;
    const answer = (/** @type {number} */ status, /** @type {unknown} */ value) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    const pulled = /^\/api\/pull\/(.+)$/.exec(path)?.[1];
    if (pulled) models?.push(decodeURIComponent(pulled));
    if (path === `${prefix}/health` || path.startsWith("/api/")) return answer(200, {});
    const known = (/** @type {string} */ model) => models === null || models.includes(model);
    const body = text === "" ? {} : JSON.parse(text);
    if (path === `${prefix}/v1/embeddings` && known(body.model)) {
      return answer(200, { object: "list", data: [{ object: "embedding", index: 0, embedding: [0.5] }], started });
    }
    if (path === `${prefix}/v1/chat/completions` && known(body.model)) {
      const message = { role: "assistant", content: started };
      return answer(200, { object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] });
    }
    return answer(404, { error: { message: `nothing at ${path} for the model ${body.model}` } });
  }).listen(port, host);
}
