// A job for tests: a router's worker API as SMG 1.13.0 answers it, ready once it has a worker.
import { createServer } from "node:http";

const workers = new Map();
let serial = 0;

function answer(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

const server = createServer(async (request, response) => {
  const path = request.url;
  if (path === "/health") return response.end("OK");
  if (path === "/readiness") return answer(response, workers.size > 0 ? 200 : 503, {});
  if (path === "/crash") process.exit(1);
  if (path === "/workers" && request.method === "GET") return answer(response, 200, { workers: [...workers.values()] });
  if (path === "/workers") {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { url, worker_type, labels, bootstrap_port = null } = JSON.parse(text);
    serial += 1;
    const id = `worker-${serial}`;
    workers.set(id, { id, url, worker_type, labels, bootstrap_port, status: "ready" });
    return answer(response, 202, { status: "accepted", worker_id: id });
  }
  if (request.method === "DELETE") {
    const known = workers.delete(path.slice("/workers/".length));
    return answer(response, known ? 202 : 404, {});
  }
  answer(response, 404, {});
});
server.listen(Number(process.env.HEADRACE_PORT), "127.0.0.1");
