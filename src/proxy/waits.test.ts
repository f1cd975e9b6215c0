import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LinkError } from "../link/errors.ts";
import { text } from "../link/testing.ts";
import type { BodyFlow } from "../link/types.ts";
import { REFUSED_HEADER } from "../wire/index.ts";
import { clientGone } from "./errors.ts";
import {
  HOST_REQUESTS_MAX,
  KEPT_BODY_BYTES_MAX,
  LINK_AWAITED_MS_MAX,
  LINK_WAITS_MAX,
  LINKS_AWAITED_MAX,
  PROJECT_LINK_WAITS_MAX,
  TARGETS_TRIED_MAX,
} from "./limits.ts";
import { RequestPath } from "./request-path.ts";
import { answered, World } from "./testing.ts";
import type { ProxyAnswer, ServiceEntry } from "./types.ts";
import { Waits } from "./waits.ts";

/** Links that are expected until the test says what comes of it. */
class Expected {
  readonly waiting: { hosts: string[]; signal: AbortSignal; end: (isBack: boolean) => void }[] = [];

  readonly back = (hosts: string[], signal: AbortSignal): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    signal.addEventListener("abort", () => resolve(false));
    this.waiting.push({ hosts, signal, end: resolve });
    return promise;
  };

  /** Tells all who wait. */
  end(isBack: boolean): void {
    for (const { end } of this.waiting.splice(0)) end(isBack);
  }
}

let world: World;
let expected: Expected;
let path: RequestPath;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  world = new World();
  expected = new Expected();
  world.back = expected.back;
  path = new RequestPath(world);
});
afterEach(() => void vi.useRealTimers());

/** A request for `qwen`, what it has come to (null: nothing yet), and its client. */
function ask({ body = null, length = null }: { body?: BodyFlow | null; length?: number | null } = {}) {
  const cancel = new AbortController();
  const asked: { answer: ProxyAnswer | null; leave(): void } = {
    answer: null,
    leave: () => cancel.abort(clientGone()),
  };
  void path
    .serve({
      method: "POST",
      url: new URL("http://headrace.test/proxy/services/main/qwen/v1/x"),
      headers: length === null ? [] : [["content-length", String(length)]],
      body,
      clientAddress: null,
      cancel,
    })
    .then((answer) => {
      asked.answer = answer;
    });
  return asked;
}

/** A body that is there, in one piece. */
function bodyOf(bytes: Uint8Array): BodyFlow {
  return {
    start(sink) {
      if (sink.write(bytes)) sink.end();
    },
    resume() {},
    cancel() {},
  };
}

/** Everything that can happen without anybody's doing happens. */
const rest = () => vi.advanceTimersByTimeAsync(20);

const codeOf = ({ answer }: { answer: ProxyAnswer | null }) =>
  answer && JSON.parse(new TextDecoder().decode(answer.body as Uint8Array)).error.code;

describe("a request whose hosts have no link", () => {
  test("waits for one, and is answered as soon as it is there, with its body", async () => {
    world.serve("qwen", ["a", "b"]);
    const asked = ask({ body: bodyOf(text("hello")), length: 5 });
    await rest();
    expect([asked.answer, expected.waiting.map(({ hosts }) => hosts)]).toEqual([null, [["a", "b"]]]);
    world.host("b", async ({ replica }, body) =>
      answered(`${replica} ${new TextDecoder().decode(body as Uint8Array)}`),
    );
    expected.end(true);
    await rest();
    expect(new TextDecoder().decode(asked.answer?.body as Uint8Array)).toBe("r-b hello");
  });

  test("waits when the link ends in the moment in which it would be sent, and when it ends again", async () => {
    world.serve("qwen", ["a"]);
    let ends = LINKS_AWAITED_MAX;
    const way = vi.spyOn(world, "way").mockReturnValue({
      request: async () => {
        ends -= 1;
        if (ends >= 0) throw new LinkError("closed", "the link is gone", false);
        return { head: { status: 200, headers: [] }, body: text("served") };
      },
    });
    const asked = ask();
    for (let i = 0; i < LINKS_AWAITED_MAX; i += 1) {
      await rest();
      expect(asked.answer).toBeNull();
      expected.end(true);
    }
    await rest();
    expect(asked.answer?.status).toBe(200);
    // Not for ever: there is a bound to how often.
    ends = LINKS_AWAITED_MAX + 1;
    const unlucky = ask();
    for (let i = 0; i < LINKS_AWAITED_MAX; i += 1) {
      await rest();
      expected.end(true);
    }
    await rest();
    expect(codeOf(unlucky)).toBe("hosts_unreachable");
    way.mockRestore();
  });

  test("looks at the service again when the link is there: its replica may have moved meanwhile", async () => {
    world.serve("qwen", ["a"]);
    const asked = ask();
    await rest();
    world.serve("qwen", ["b"], { version: 2 });
    world.host("a", async () => answered("", [[REFUSED_HEADER, "not_here"]], 421));
    world.host("b", async () => answered("moved here"));
    expected.end(true);
    await rest();
    expect(asked.answer?.status).toBe(200);
  });

  test("is refused at once where none is expected, and as soon as none is any more", async () => {
    world.serve("qwen", ["a"]);
    const late = ask();
    await rest();
    world.back = async () => false;
    const asked = ask();
    await rest();
    expect([codeOf(asked), late.answer]).toEqual(["hosts_unreachable", null]);
    expected.end(false);
    await rest();
    expect(codeOf(late)).toBe("hosts_unreachable");
    expect(late.answer?.headers).toContainEqual(["retry-after", "1"]);
  });

  test("waits for no longer than its bound", async () => {
    world.serve("qwen", ["a"]);
    const asked = ask();
    await rest();
    await vi.advanceTimersByTimeAsync(LINK_AWAITED_MS_MAX - 40);
    expect(asked.answer).toBeNull();
    await vi.advanceTimersByTimeAsync(40);
    expect([codeOf(asked), expected.waiting[0]?.signal.aborted]).toEqual(["hosts_unreachable", true]);
  });

  test("waits for no longer in all than once, however often the link comes and goes", async () => {
    world.serve("qwen", ["a"]);
    const asked = ask();
    await vi.advanceTimersByTimeAsync(LINK_AWAITED_MS_MAX - 100);
    expected.end(true);
    await rest();
    expect([asked.answer, expected.waiting.length]).toEqual([null, 1]);
    await vi.advanceTimersByTimeAsync(100);
    expect(codeOf(asked)).toBe("hosts_unreachable");
  });

  test("ends at once when its client goes away", async () => {
    world.serve("qwen", ["a"]);
    const asked = ask();
    await rest();
    asked.leave();
    await rest();
    expect([codeOf(asked), expected.waiting[0]?.signal.aborted]).toEqual(["client_gone", true]);
  });

  test("does not wait where a host of another target has a link, whatever that one answers", async () => {
    world.serve("qwen", ["a", "b"]);
    world.host("b", async () => answered("served"));
    const served = [ask(), ask()];
    await rest();
    expect(served.map(({ answer }) => answer?.status)).toEqual([200, 200]);
    world.host("b", async () => answered("", [[REFUSED_HEADER, "not_here"]], 421));
    const moved = ask();
    await rest();
    expect(codeOf(moved)).toBe("replica_moved");
    world.host("b", () => Promise.reject(new Error("it broke")));
    const failed = ask();
    await rest();
    expect(codeOf(failed)).toBe("replica_failed");
    expect(world.asked.wayBack).toBe(0);
  });

  test("does not wait as long as there are others to try, however many turn out to have no link", async () => {
    const hosts = Array.from({ length: TARGETS_TRIED_MAX }, (_, i) => `h${i}`);
    world.serve("qwen", hosts);
    const way = vi.spyOn(world, "way").mockImplementation((_project, { host }) => ({
      request: async () => {
        if (host !== "h7") throw new LinkError("closed", "the link is gone", false);
        return { head: { status: 200, headers: [] }, body: text("served") };
      },
    }));
    const all = hosts.map(() => ask());
    await rest();
    expect(all.every(({ answer }) => answer?.status === 200)).toBe(true);
    way.mockRestore();
  });

  test("is not sent once more after a replica may have seen it", async () => {
    world.serve("qwen", ["a"]);
    let delivered = 0;
    const link = world.host("a", () => {
      delivered += 1;
      world.links.delete("a");
      link.close("the host was cut off");
      return new Promise(() => {});
    });
    const asked = ask();
    await rest();
    expect([codeOf(asked), delivered, world.asked.wayBack]).toEqual(["replica_failed", 1, 0]);
  });

  test("does not wait with a body that cannot be kept", async () => {
    world.serve("qwen", ["a"]);
    const length = KEPT_BODY_BYTES_MAX + 1;
    const asked = ask({ body: bodyOf(new Uint8Array(length)), length });
    await rest();
    expect([codeOf(asked), world.asked.wayBack]).toEqual(["hosts_unreachable", 0]);
  });

  test("does not wait for a service that has nothing ready", async () => {
    world.serve("qwen", []);
    const asked = ask();
    await rest();
    expect([codeOf(asked), world.asked.wayBack]).toEqual(["no_replica", 0]);
  });

  test("is one of so many of its project, which one link can carry", async () => {
    expect(PROJECT_LINK_WAITS_MAX).toBeLessThanOrEqual(HOST_REQUESTS_MAX);
    world.serve("qwen", ["a"]);
    const all = Array.from({ length: PROJECT_LINK_WAITS_MAX }, () => ask());
    await rest();
    const tooMany = ask();
    await rest();
    expect([codeOf(tooMany), all.every(({ answer }) => answer === null)]).toEqual(["hosts_unreachable", true]);
    all[0]?.leave();
    await rest();
    const next = ask();
    await rest();
    expect(next.answer).toBeNull();
    world.host("a", async () => answered("served"));
    expected.end(true);
    await rest();
    expect([next, ...all.slice(1)].every(({ answer }) => answer?.status === 200)).toBe(true);
  });
});

test("the requests of all projects that wait have a bound too", async () => {
  const waits = new Waits({ wayBack: (_project, _targets, signal) => expected.back([], signal) }, () => 0);
  const { signal } = new AbortController();
  const wait = (project: string) => waits.forWay({ project, targets: [] } as unknown as ServiceEntry, 1_000, signal);
  const projects = LINK_WAITS_MAX / PROJECT_LINK_WAITS_MAX;
  for (let i = 0; i < LINK_WAITS_MAX; i += 1) void wait(`p${i % projects}`);
  expect(expected.waiting).toHaveLength(LINK_WAITS_MAX);
  expect(await wait("another")).toBe(false);
  expected.end(true);
  await rest();
  void wait("another");
  expect(expected.waiting).toHaveLength(1);
});
