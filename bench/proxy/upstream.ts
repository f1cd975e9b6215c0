import { createServer, type ServerResponse } from "node:http";
import { EVENT_EVERY_MS, STREAM_EVENTS, sharedNowMs } from "./traffic.ts";

/**
 * A replica that does nothing but answer, as a job of Headrace or on its own: small JSON at once, or a stream of events
 * at an even pace, each of which says when it was made. Run with a port.
 */
const answer = JSON.stringify({
  id: "bench",
  object: "chat.completion",
  choices: [
    { index: 0, finish_reason: "stop", message: { role: "assistant", content: "From the river. ".repeat(12) } },
  ],
});
const answerHeaders = { "content-type": "application/json", "content-length": Buffer.byteLength(answer) };

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    if (request.url === "/stream") stream(response);
    else response.writeHead(200, answerHeaders).end(answer);
  });
});
// Connections stay: what is measured is requests, not connecting.
server.keepAliveTimeout = 60_000;
server.listen(Number(process.argv[2]), "127.0.0.1");

function stream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let made = 0;
  const timer = setInterval(() => {
    const delta = { choices: [{ index: 0, delta: { content: " word" } }], madeAt: sharedNowMs() };
    response.write(`data: ${JSON.stringify(delta)}\n\n`);
    made += 1;
    if (made < STREAM_EVENTS) return;
    clearInterval(timer);
    response.end("data: [DONE]\n\n");
  }, EVENT_EVERY_MS);
  response.on("close", () => clearInterval(timer));
}
