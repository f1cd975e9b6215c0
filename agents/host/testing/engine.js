// A job for tests: answers what the SGLang adapter asks, and echoes requests. It is idle unless a request runs.
import { createServer } from "node:http";

const role = process.env.ENGINE_ROLE ?? "null";
let running = 0;

function answer(response, value) {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://job");
  if (pathname === "/health") return response.end();
  if (pathname === "/server_info")
    return answer(response, { disaggregation_mode: role, disaggregation_bootstrap_port: 8998 });
  if (pathname === "/v1/loads")
    return answer(response, { loads: [{ num_running_reqs: running, num_waiting_reqs: 0 }] });
  if (pathname === "/environment") return answer(response, process.env);
  if (pathname === "/say") console.log("said something");
  if (pathname === "/crash") process.exit(7);
  if (pathname === "/stream") {
    running += 1;
    response.write("first\n");
    const timer = setInterval(() => response.write("more\n"), 20);
    response.once("close", () => {
      clearInterval(timer);
      running -= 1;
    });
    return;
  }
  let text = "";
  for await (const chunk of request) text += chunk;
  answer(response, { method: request.method, url: request.url, headers: request.headers, text });
});
server.listen(Number(process.env.HEADRACE_PORT), "127.0.0.1", () => console.log("engine listens"));
