import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Durable, PlayedSocket } from "../../test/support/edge/durable.ts";
import { reportOf } from "../../test/support/reports.ts";
import { wholeOf } from "../link/flows.ts";
import { Link } from "../link/link.ts";
import { HOST_REQUESTS_MAX } from "../proxy/limits.ts";
import type { Report, SyncAnswer } from "../wire/index.ts";
import { LinkLife } from "./link-life.ts";
import type { ProjectStub } from "./stubs.ts";

const BUSY: SyncAnswer = { version: 5, hash: "five", desired: null, nextSyncInMs: 10_000, peers: null };
const IDLE: SyncAnswer = { ...BUSY, nextSyncInMs: 120_000 };
/** What a host says that holds what it was answered. */
const HELD = { applied: { version: 5, hash: "five" } };

/** The project's object as its hosts' ends see it. */
class PlayedProject {
  answer: SyncAnswer = IDLE;
  isAway = false;
  synced = 0;
  readonly told: unknown[] = [];
  /** Runs while a report is being taken in. */
  meanwhile: () => Promise<void> = async () => {};

  async call(): Promise<{ value: SyncAnswer }> {
    this.synced += 1;
    const { answer } = this;
    await this.meanwhile();
    return { value: answer };
  }

  async hostHere(_: unknown, linked: boolean): Promise<void> {
    if (this.isAway) throw new Error("the project is away");
    this.told.push(linked ? "linked" : "unlinked");
  }

  async hostGone(_: unknown, __: boolean, silentMs: number): Promise<void> {
    if (this.isAway) throw new Error("the project is away");
    this.told.push({ goneAfter: silentMs });
  }
}

let durable: Durable;
let project: PlayedProject;
let life: LinkLife;
let now: number;

/** The object is made anew, with what it has stored. */
function wakeUp(host = { project: "main", host: "h1" }, deployment = "first"): void {
  life = new LinkLife({
    host,
    ctx: durable,
    project: () => project as unknown as ProjectStub,
    deployment,
    now: () => now,
    log: () => {},
  });
}

/** The agent's end of a link to whatever life the object is in. */
class Dialled {
  readonly socket = new PlayedSocket();
  readonly link: Link;
  wakes = 0;

  constructor() {
    life.opened(this.socket);
    this.link = new Link({
      side: "dialled",
      send: (message) => {
        const sent = message.slice().buffer;
        queueMicrotask(() => life.received(this.socket, sent));
      },
      handler: async () => {
        this.wakes += 1;
        return { head: { status: 204, headers: [] }, body: null };
      },
    });
    this.socket.receive = (message) => this.link.receive(message);
  }

  async sync(over: Partial<Report> = HELD): Promise<SyncAnswer> {
    const body = new TextEncoder().encode(JSON.stringify(reportOf(over)));
    const { head, body: answer } = await this.link.request({ kind: "sync" }, body);
    const text = new TextDecoder().decode(await wholeOf(answer, 1_000_000));
    if (head.status !== 200) throw new Error(text);
    await turn();
    return JSON.parse(text) as SyncAnswer;
  }
}

/** What was begun by what happened is done. */
async function turn(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Time passes until the alarm rings; the object may have slept meanwhile. */
async function ring({ asleep }: { asleep: boolean }): Promise<void> {
  if (durable.alarm === null) throw new Error("no alarm is set");
  now = Math.max(now, durable.alarm);
  durable.alarm = null;
  if (asleep) wakeUp();
  await life.look();
  await turn();
}

beforeEach(() => {
  durable = new Durable();
  project = new PlayedProject();
  now = 1_000_000;
  wakeUp();
});

describe("a report without news", () => {
  test("is answered here, also after a sleep, until something may have changed", async () => {
    const agent = new Dialled();
    await agent.sync();
    expect(await agent.sync()).toEqual(IDLE);
    wakeUp();
    expect(await agent.sync()).toEqual(IDLE);
    expect(project.synced).toBe(1);
    await life.wake();
    await turn();
    expect(agent.wakes).toBe(1);
    await agent.sync();
    expect(project.synced).toBe(2);
  });

  test("is passed on when its last answer was on its way while something changed", async () => {
    const agent = new Dialled();
    project.meanwhile = () => life.wake();
    await agent.sync();
    project.meanwhile = async () => {};
    await agent.sync();
    expect(project.synced).toBe(2);
  });

  test("is passed on once after a deployment, which may have something new to say to it", async () => {
    await new Dialled().sync();
    wakeUp(undefined, "second");
    const agent = new Dialled();
    for (let i = 0; i < 2; i += 1) await agent.sync();
    expect(project.synced).toBe(2);
  });

  test("is passed on by a host that does not hold what it shall, or that the project takes for gone", async () => {
    const agent = new Dialled();
    await agent.sync({ applied: { version: 4, hash: "four" } });
    await agent.sync({ applied: { version: 4, hash: "four" } });
    expect(project.synced).toBe(2);
    life.closed(agent.socket, "it went");
    await turn();
    // The project cannot be told that it is back, and must hear of it by its report.
    project.isAway = true;
    const again = new Dialled();
    for (let i = 0; i < 2; i += 1) await again.sync();
    expect(project.synced).toBe(4);
  });
});

describe("a link", () => {
  test("counts from its first report that is taken in, and takes the place of the one before", async () => {
    const first = new Dialled();
    expect(project.told).toEqual([]);
    await first.sync();
    expect(project.told).toEqual(["linked"]);
    const [idle, second] = [new Dialled(), new Dialled()];
    expect([first.socket.closedBecause, idle.socket.closedBecause !== null]).toEqual([null, true]);
    await second.sync();
    expect(first.socket.closedBecause).toContain("another link of the same host");
    // It was there all along.
    expect(project.told).toEqual(["linked"]);
    await life.wake();
    await turn();
    expect([first.wakes, second.wakes]).toEqual([0, 1]);
  });

  test("repeats no id of a stream after a sleep", async () => {
    const agent = new Dialled();
    await agent.sync();
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 3; i += 1) await life.request({ kind: "wake" }, null, undefined);
      wakeUp();
    }
    expect([agent.wakes, agent.socket.closedBecause]).toEqual([9, null]);
  });

  test("over which nothing comes is ended, and the project told for how long", async () => {
    const agent = new Dialled();
    project.answer = BUSY;
    await agent.sync();
    // A ping is answered by the platform, and counts.
    now += 10_000;
    agent.socket.pingedAt = now;
    await ring({ asleep: true });
    expect(agent.socket.closedBecause).toBeNull();
    await ring({ asleep: true });
    expect(agent.socket.closedBecause).toContain("nothing came over the link for 15 s");
    expect(project.told).toEqual(["linked", { goneAfter: 15_000 }]);
    expect(durable.alarm).toBeNull();
  });

  test("of a host that runs nothing is looked after no more, until it may run something", async () => {
    const agent = new Dialled();
    project.answer = BUSY;
    await agent.sync();
    project.answer = IDLE;
    await agent.sync({ ...HELD, busyPorts: [1] });
    agent.socket.pingedAt = now + 14_000;
    await ring({ asleep: true });
    expect(durable.alarm).toBeNull();
    await life.wake();
    expect(durable.alarm).not.toBeNull();
  });
});

describe("the project", () => {
  test("is told again what it could not be told, and last what is so last", async () => {
    const agent = new Dialled();
    project.isAway = true;
    await agent.sync();
    expect(durable.alarm).toBe(now + 1_000);
    life.closed(agent.socket, "it went");
    await turn();
    const again = new Dialled();
    await again.sync();
    project.isAway = false;
    await ring({ asleep: true });
    expect(project.told).toEqual(["linked"]);
  });

  test("is told again within a second, also of a host that is woken meanwhile", async () => {
    const agent = new Dialled();
    project.isAway = true;
    await agent.sync();
    await life.wake();
    expect(durable.alarm).toBe(now + 1_000);
    project.isAway = false;
    await ring({ asleep: false });
    expect(project.told).toEqual(["linked"]);
    expect(durable.alarm).not.toBeNull();
  });

  test("removes a host while a report of it is being taken in, of which nothing is kept", async () => {
    const removed = async () => {
      life.forget("the host was removed");
      await durable.storage.deleteAll();
    };
    project.answer = BUSY;
    const agent = new Dialled();
    project.meanwhile = removed;
    // Its link was ended, so that no answer comes.
    agent.sync().catch(() => undefined);
    await expect.poll(() => project.synced).toBe(1);
    await turn();
    wakeUp();
    await life.syncUnlinked(reportOf(HELD));
    await turn();
    expect([...durable.values.keys()]).toEqual([]);
    expect(durable.alarm).toBeNull();
  });

  test("hears no more of a host that it has removed", async () => {
    const agent = new Dialled();
    await agent.sync();
    life.forget("the host was removed");
    await turn();
    expect(agent.socket.closedBecause).toBe("the host was removed");
    expect(project.told).toEqual(["linked"]);
  });

  test("learns from a wake-up that the socket has ended without a word", async () => {
    const agent = new Dialled();
    await agent.sync();
    durable.sockets.length = 0;
    wakeUp();
    await life.wake();
    expect(project.told).toEqual(["linked", { goneAfter: 0 }]);
  });
});

describe("a request that finds no link", () => {
  const never = new AbortController().signal;
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  /** Time passes, for timers too. */
  async function pass(ms: number): Promise<void> {
    now += ms;
    await vi.advanceTimersByTimeAsync(ms);
    await turn();
  }

  async function lost(): Promise<void> {
    const agent = new Dialled();
    await agent.sync();
    life.closed(agent.socket, "it went");
    await turn();
  }

  /** What the waiting came to; null: it goes on. */
  function waited(signal = never): { isBack: boolean | null } {
    const outcome: { isBack: boolean | null } = { isBack: null };
    void life.linkBack(signal).then((isBack) => {
      outcome.isBack = isBack;
    });
    return outcome;
  }

  test("waits for the one that was just lost, and goes on with the first report over the next", async () => {
    await lost();
    const both = [waited(), waited()];
    const agent = new Dialled();
    await turn();
    expect(both).toEqual([{ isBack: null }, { isBack: null }]);
    await agent.sync();
    expect(both).toEqual([{ isBack: true }, { isBack: true }]);
    expect(await life.linkBack(never)).toBe(true);
  });

  test("waits ten seconds from when it was lost, and not at all after that", async () => {
    await lost();
    await pass(4_000);
    const outcome = waited();
    await pass(5_999);
    expect(outcome.isBack).toBeNull();
    await pass(1);
    expect(outcome.isBack).toBe(false);
    expect(await life.linkBack(never)).toBe(false);
  });

  test("waits for one that a deployment has ended, whoever wakes the object first", async () => {
    await new Dialled().sync();
    durable.sockets.length = 0;
    wakeUp();
    await life.wake();
    const outcome = waited();
    await turn();
    expect(outcome.isBack).toBeNull();
    await new Dialled().sync();
    expect(outcome.isBack).toBe(true);
  });

  test("does not wait for a host that never had one, that syncs without one, or that was removed", async () => {
    expect(await life.linkBack(never)).toBe(false);
    await lost();
    const [first, second] = [waited(), waited()];
    await life.syncUnlinked(reportOf(HELD));
    await turn();
    expect([first.isBack, second.isBack]).toEqual([false, false]);
    await lost();
    const third = waited();
    life.forget("the host was removed");
    await turn();
    expect(third.isBack).toBe(false);
  });

  test("ends with its client, and is one of so many", async () => {
    await lost();
    const leaving = new AbortController();
    const first = waited(leaving.signal);
    const others = Array.from({ length: HOST_REQUESTS_MAX - 1 }, () => waited());
    expect(await life.linkBack(never)).toBe(false);
    leaving.abort();
    await turn();
    expect(first.isBack).toBe(false);
    const next = waited();
    await new Dialled().sync();
    expect([next, ...others].every(({ isBack }) => isBack === true)).toBe(true);
  });
});

describe("a host without a link", () => {
  const unlinked = { ...BUSY, nextSyncInMs: 2_000 };

  test("is there as long as it comes when it said, and gone ten seconds after", async () => {
    project.answer = unlinked;
    await life.syncUnlinked(reportOf(HELD));
    await turn();
    expect(project.told).toEqual(["unlinked"]);
    const heardAt = now;
    expect(durable.alarm).toBe(heardAt + 12_000);
    await ring({ asleep: false });
    expect(project.told).toEqual(["unlinked", { goneAfter: 12_000 }]);
  });

  test("is found to be gone however often its object sleeps", async () => {
    project.answer = unlinked;
    await life.syncUnlinked(reportOf(HELD));
    await turn();
    let rings = 0;
    for (; project.told.length < 2 && rings < 10; rings += 1) await ring({ asleep: true });
    expect(project.told[1]).toEqual({ goneAfter: 10_000 });
    expect(rings).toBe(2);
  });

  test("that opens one is told of as such, and not as one that went", async () => {
    project.answer = unlinked;
    await life.syncUnlinked(reportOf(HELD));
    await turn();
    await new Dialled().sync();
    expect(project.told).toEqual(["unlinked", "linked"]);
  });
});

test("what is kept of the longest names and the largest report is within what the platform takes", async () => {
  const [longest, hash] = ["x".repeat(200), "f".repeat(64)];
  wakeUp({ project: longest, host: longest });
  project.answer = { ...BUSY, version: Number.MAX_SAFE_INTEGER, hash };
  const agent = new Dialled();
  const busyPorts = Array.from({ length: 1_000 }, (_, i) => i + 1);
  await agent.sync({ applied: { version: Number.MAX_SAFE_INTEGER, hash }, busyPorts });
  for (let i = 0; i < 1_000; i += 1) await life.request({ kind: "wake" }, null, undefined);
  life.closed(agent.socket, "\u{1f6b0}".repeat(1_000));
  await turn();
  expect(durable.values.get("answered")).toMatchObject({ answer: { hash } });
  expect(agent.socket.closedBecause).toHaveLength(120);
});
