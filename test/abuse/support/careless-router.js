// A job for tests: a router that reads paths as carelessly as any server ever has, and remembers who reached its worker
// API other than its own agent. Serves what is needed to be ready, and bodies of the unpleasant kinds.
import { createServer } from "node:http";

const workers = new Map();
/** Requests that were taken for one to the worker API, by the path as it was written. */
const reached = [];
const FLOOD = Buffer.alloc(64 * 1024, "x");

function answer(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

/** Undoes escapes again and again, takes every slash for one, forgets parameters, and follows dots. */
function carelessly(url) {
  let path = url.replace(/^https?:\/\/[^/]*/i, "").replace(/[?#].*$/, "");
  for (let round = 0; round < 5; round++) {
    path = path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  const kept = [];
  for (const segment of path
    .replaceAll("\0", "")
    .replaceAll("\\", "/")
    .replace(/;[^/]*/g, "")
    .split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment.toLowerCase());
  }
  return `/${kept.join("/")}`;
}

async function textOf(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text;
}

async function serve(request, response) {
  const path = carelessly(request.url);
  // The agent's own questions carry no id of the proxy's.
  if (path.startsWith("/workers") || path.startsWith("/flush_cache")) {
    if (request.headers["x-request-id"]) reached.push(`${request.method} ${request.url}`);
  }
  if (path === "/health") return response.end("OK");
  if (path === "/readiness") return answer(response, workers.size > 0 ? 200 : 503, {});
  if (path === "/workers" && request.method === "GET") return answer(response, 200, { workers: [...workers.values()] });
  if (path === "/workers") {
    const { url, worker_type, labels, bootstrap_port = null } = JSON.parse(await textOf(request));
    const id = `worker-${workers.size + 1}`;
    workers.set(id, { id, url, worker_type, labels, bootstrap_port, status: "ready" });
    return answer(response, 202, { status: "accepted", worker_id: id });
  }
  if (path === "/v1/reached") return answer(response, 200, reached);
  if (path === "/v1/sink") {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    return answer(response, 200, { bytes });
  }
  // Accepts, reads nothing and says nothing.
  if (path === "/v1/hang") return;
  if (path === "/v1/flood") {
    const pour = () => {
      while (response.write(FLOOD));
    };
    response.on("drain", pour);
    return pour();
  }
  if (path === "/v1/echo") {
    return answer(response, 200, { url: request.url, headers: request.rawHeaders, text: await textOf(request) });
  }
  answer(response, 404, {});
}

createServer((request, response) => {
  serve(request, response).catch(() => response.destroy());
}).listen(Number(process.env.HEADRACE_PORT), "127.0.0.1");
