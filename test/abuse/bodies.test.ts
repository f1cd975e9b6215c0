import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/processes.ts";
import { unnoticed } from "./support/neighbour.ts";
import { head, RawSocket } from "./support/raw.ts";
import { BAD, GOOD, ROUTED, STEADY, Victim } from "./support/victim.ts";

/** Bodies that are too large, never end, are never read, or cost more to read than to send. */

let victim: Victim;
beforeAll(async () => {
  victim = await Victim.start();
  await victim.startSteadyService();
  await victim.startRoutedService();
});
afterAll(() => victim.dispose());

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const JSON_TYPE = { "Content-Type": "application/json" };
const as = (project: typeof GOOD | typeof BAD) => ({ Authorization: `Bearer ${victim.tokens[project]}` });

/**
 * Sends a piece again and again until `most` bytes are on their way, an answer has come, or nobody takes them.
 * @returns how many were taken
 */
async function pour(raw: RawSocket, piece: Buffer, most: number): Promise<number> {
  let sent = 0;
  while (sent < most && raw.text === "" && !raw.socket.destroyed && raw.socket.writable) {
    sent += piece.length;
    if (raw.socket.write(piece)) continue;
    const moved = new Promise<boolean>((resolve) => raw.socket.once("drain", () => resolve(true)));
    const stuck = new Promise<boolean>((resolve) => setTimeout(resolve, 1_500, false));
    if (!(await Promise.race([moved, raw.closed.then(() => false), stuck]))) break;
  }
  return sent;
}

const plan = (body: string) =>
  fetch(`${victim.url}/api/projects/${BAD}/plan`, { method: "POST", headers: { ...as(BAD), ...JSON_TYPE }, body });

describe("a body of 1 GiB", () => {
  const piece = Buffer.alloc(MIB, " ");

  test.each(["announced", "in chunks"])("to the API is refused before it is read: %s", async (how) => {
    await unnoticed(victim, async () => {
      const raw = new RawSocket(victim);
      const length = how === "announced" ? { "Content-Length": String(GIB) } : { "Transfer-Encoding": "chunked" };
      raw.socket.write(head(`POST /api/projects/${BAD}/plan`, { ...as(BAD), ...JSON_TYPE, ...length }));
      const chunk = Buffer.concat([Buffer.from(`${MIB.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
      const sent = await pour(raw, how === "announced" ? piece : chunk, GIB);
      await raw.left();
      expect(sent).toBeLessThan(GIB / 4);
      expect(raw.text).toMatch(/^HTTP\/1\.1 413 .*"too_large"/s);
    });
  });

  test("from a stranger is refused before it is read", async () => {
    await unnoticed(victim, async () => {
      const raw = new RawSocket(victim);
      raw.socket.write(head(`POST /proxy/services/${GOOD}/${STEADY}/echo`, { "Content-Length": String(GIB) }));
      expect(await pour(raw, piece, GIB)).toBeLessThan(GIB / 4);
      await raw.left();
      expect(raw.text).toMatch(/^HTTP\/1\.1 401 .*"token_missing"/s);
    });
  });

  test("to a worker that accepts and never reads stops at what the way there holds", async () => {
    await unnoticed(victim, async () => {
      const raw = new RawSocket(victim);
      const length = { "Content-Length": String(GIB) };
      raw.socket.write(head(`POST /proxy/services/${GOOD}/${ROUTED}/v1/hang`, { ...as(GOOD), ...length }));
      expect(await pour(raw, piece, GIB)).toBeLessThan(64 * MIB);
      raw.socket.destroy();
    });
  });

  test("a large body that is read goes through whole", async () => {
    await unnoticed(victim, async () => {
      const answer = await fetch(victim.routedUrl("/v1/sink"), {
        method: "POST",
        headers: as(GOOD),
        body: Buffer.alloc(16 * MIB, "x"),
      });
      expect(await answer.json()).toEqual({ bytes: 16 * MIB });
    });
  });
});

describe("a worker that never answers", () => {
  test("holds its own callers alone, and they may leave", async () => {
    await unnoticed(victim, async () => {
      const before = victim.handles();
      const leave = new AbortController();
      const calls = Array.from({ length: 300 }, () =>
        fetch(victim.routedUrl("/v1/hang"), { headers: as(GOOD), signal: leave.signal }).then(
          (answer) => answer.status,
          () => "left",
        ),
      );
      await until(
        () => victim.handles() >= before + 250,
        () => `${victim.handles()} handles`,
      );
      leave.abort();
      expect(new Set(await Promise.all(calls))).toEqual(new Set(["left"]));
    });
  });
});

describe("a body that costs more to read than to send", () => {
  const bombs: [name: string, body: string][] = [
    ["JSON nested half a million deep", `${'{"a":['.repeat(80_000)}`],
    ["JSON that closes what it opened", `${"[".repeat(400_000)}${"]".repeat(400_000)}`],
    ["JSON with a million numbers", `[${"1,".repeat(400_000)}1]`],
    ["JSON under the names of every object", '{"__proto__":{"config":"x"},"constructor":{"prototype":{"file":"x"}}}'],
    ["JSON with a name of a megabyte", `{"${"k".repeat(1_000_000)}":1}`],
    ["a broken surrogate", '{"config":"\\ud800","file":"\\udfff"}'],
  ];
  test.each(bombs)("%s is refused", async (_name, body) => {
    await unnoticed(victim, async () => {
      const answer = await plan(body);
      expect([400, 422]).toContain(answer.status);
      expect(await answer.json()).toMatchObject({ error: { code: expect.stringMatching(/^invalid_/) } });
    });
  });

  const yaml: [name: string, config: string][] = [
    ["aliases of aliases", aliasBomb()],
    ["nested flow lists", `a: ${"[".repeat(60_000)}${"]".repeat(60_000)}`],
    ["tags", `a: ${"!x ".repeat(40_000)}`],
    ["quotes", `a: ${'"'.repeat(120_000)}`],
    ["keys", Array.from({ length: 10_000 }, (_, i) => `k${i}: 1`).join("\n")],
    ["anchors", Array.from({ length: 8_000 }, (_, i) => `k${i}: &a${i} x`).join("\n")],
    ["one long number", `type: service\nname: abc\nport: ${"1".repeat(120_000)}`],
    [
      "a shell's line of quotes",
      `type: service\nname: abc\nport: 80\nreplicas: x\ncommands: ["${"$(`'".repeat(30_000)}"]`,
    ],
  ];
  test("YAML of every kind, twenty at a time, is refused", async () => {
    await unnoticed(victim, async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => plan(JSON.stringify({ config: yaml[i % yaml.length]?.[1] }))),
      );
      for (const answer of answers) {
        expect(answer.status).toBe(422);
        const { error } = (await answer.json()) as { error: { code: string; message: string } };
        expect(error.code).toBe("invalid_config");
        // What is quoted of a file is cut.
        expect(error.message.length).toBeLessThan(1_000);
      }
    });
  });
});

function aliasBomb(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(", ")}]`,
    );
  return lines.join("\n");
}
