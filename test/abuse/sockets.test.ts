import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/processes.ts";
import { unnoticed } from "./support/neighbour.ts";
import { head, RawSocket } from "./support/raw.ts";
import { Victim } from "./support/victim.ts";

/** What strangers do to the server's port before anything is asked of it that could be answered. */

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
  await victim.startSteadyService();
});
afterAll(() => victim.dispose());

const upgrade = (path: string, token = "hrh_nobody") =>
  head(`GET ${path}`, {
    Connection: "Upgrade",
    Upgrade: "websocket",
    Authorization: `Bearer ${token}`,
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
  });

test("a caller that asks for a link and resets its connection at once does not end the server", async () => {
  await unnoticed(victim, async () => {
    for (let i = 0; i < 100; i++) {
      const raw = new RawSocket(victim);
      await new Promise<void>((resolve) => raw.socket.once("connect", resolve));
      raw.socket.write(upgrade("/agent/link"));
      // Some before the server has read it, some while it looks the token up, some when it answers.
      setTimeout(() => raw.socket.resetAndDestroy(), i % 5);
      await raw.closed;
    }
  });
});

test("an upgrade that is refused is told why, and its socket is closed although the caller leaves it open", async () => {
  await unnoticed(victim, async () => {
    const before = victim.handles();
    const [link, elsewhere] = [new RawSocket(victim), new RawSocket(victim)];
    link.socket.write(upgrade("/agent/link"));
    elsewhere.socket.write(upgrade("/proxy/services/good/steady/v1/realtime"));
    const others = Array.from({ length: 200 }, () => new RawSocket(victim));
    for (const { socket } of others) socket.write(upgrade("/agent/link"));
    // None of them closes its own side, nor does what closes it.
    await until(
      () => [link, elsewhere, ...others].every(({ text }) => text !== "") && victim.handles() < before + 100,
      () => `the server holds ${victim.handles()} handles, ${before} before`,
    );
    expect(link.text).toMatch(/^HTTP\/1\.1 401 .*"unauthorized"/s);
    expect(elsewhere.text).toMatch(/^HTTP\/1\.1 501 .*"websocket_unsupported"/s);
    for (const { socket } of [link, elsewhere, ...others]) socket.destroy();
  });
});

test("what is no request gets an answer, and its connection is closed", async () => {
  await unnoticed(victim, async () => {
    const noise = new Uint8Array(64 * 1024).map((_, i) => (i * 7919) % 251);
    expect(await RawSocket.exchange(victim, noise)).toMatch(/^HTTP\/1\.1 400 .*"invalid_request"/s);
    const flood = head("GET /health", Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`X-${i}`, "flood"])));
    expect(await RawSocket.exchange(victim, flood)).toMatch(/^HTTP\/1\.1 431 .*"headers_too_large"/s);
    const long = head(`GET /${"a".repeat(64 * 1024)}`);
    expect(await RawSocket.exchange(victim, long)).toMatch(/^HTTP\/1\.1 431 .*"headers_too_large"/s);
  });
});
