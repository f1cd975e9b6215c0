// A job for tests that answers whatever its agent asks, of a router or of an engine, in the way that $MODE names.
import { createServer } from "node:http";

const ENDLESS = Buffer.alloc(64 * 1024, "[");
const worker = { id: "w", url: "http://127.0.0.1:1", worker_type: "regular", status: "ready" };
const RUBBISH = [
  "",
  "null",
  "<html>",
  "[".repeat(500_000),
  "\u0000\u001b[2J\u001b]0;owned\u0007",
  JSON.stringify({ workers: [{ ...worker, url: "constructor" }] }),
  JSON.stringify({ workers: [{ ...worker, url: "__proto__", labels: { __proto__: "x" } }] }),
  '{"workers":[{"id":"\\ud800","url":"http://127.0.0.1:1","worker_type":"regular","status":"ready"}]}',
  JSON.stringify({ workers: [{ ...worker, id: "../../flush_cache" }] }),
  JSON.stringify({ workers: Array(20_000).fill({ ...worker, url: "http://127.0.0.1:2" }) }),
  JSON.stringify({ workers: { length: 1e9 } }),
  JSON.stringify({ disaggregation_mode: "prefill", disaggregation_bootstrap_port: 1e300 }),
  JSON.stringify({ disaggregation_mode: "prefill", disaggregation_bootstrap_port: -1.5 }),
  JSON.stringify({ disaggregation_mode: { toString: "x" } }),
];
const [mode, first] = (process.env.MODE ?? "").split("-");
let asked = 0;

function answer(request, response) {
  asked += 1;
  if (request.url === "/asked") return response.end(String(asked));
  // Alive as far as its probe knows, so that the rest is asked.
  if (request.url === "/health") return response.end("OK");
  switch (mode) {
    case "hang":
      return;
    case "endless": {
      const pour = () => {
        while (response.write(ENDLESS));
      };
      response.on("drain", pour);
      return pour();
    }
    case "cut":
      response.writeHead(200, { "content-length": "1000000" });
      response.write("{");
      return setTimeout(() => response.destroy(), 10);
    default:
      return response.end(RUBBISH[(Number(first) + asked) % RUBBISH.length]);
  }
}

createServer(answer).listen(Number(process.env.HEADRACE_PORT), "127.0.0.1");
