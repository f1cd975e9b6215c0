import { beforeEach, describe, expect, test } from "vitest";
import { HandClock } from "../../../test/support/hand-clock.ts";
import type { LinkEnd } from "../../link/types.ts";
import { Presence } from "./presence.ts";

let clock: HandClock;
let told: string[];
/** By how much the server is behind with what hosts have sent. */
let behindMs: number;
let presence: Presence;

beforeEach(() => {
  clock = new HandClock(1_000_000);
  told = [];
  behindMs = 0;
  const start = clock.now();
  presence = new Presence({
    clock,
    heardUpTo: () => clock.now() - behindMs,
    changed: (host, present) => told.push(`${host} ${present ? "here" : "gone"}`),
    silent: (host, since) => told.push(`${host} silent since ${since - start} at ${clock.now() - start}`),
  });
});

function link(closed: string[] = []): LinkEnd {
  return {
    request: () => Promise.reject(new Error("no requests here")),
    receive() {},
    close: (reason) => closed.push(reason),
    openStreams: 0,
  };
}

describe("a host with a link", () => {
  test("is here while the link is, however long nothing happens", () => {
    presence.linkOpened("a", link());
    clock.advance(3_600_000);
    expect(told).toEqual(["a here"]);
  });

  test("is silent 10 s after it was heard, and not before it had 5 s to come back", () => {
    const [early, late] = [link(), link()];
    presence.linkOpened("a", early);
    presence.linkClosed("a", early, 0);
    presence.linkOpened("b", late);
    presence.linkClosed("b", late, 30_000);
    clock.advance(60_000);
    expect(told.slice(4)).toEqual(["b silent since -30000 at 5000", "a silent since 0 at 10000"]);
  });

  test("that opens another in time was never silent, and the old one's end means nothing", () => {
    const closed: string[] = [];
    const [first, second] = [link(closed), link()];
    presence.linkOpened("a", first);
    presence.linkOpened("a", second);
    presence.linkClosed("a", first, 0);
    clock.advance(60_000);
    expect(closed).toEqual(["another link of the same host took its place"]);
    expect(presence.link("a")).toBe(second);
    expect(told).toEqual(["a here", "a here"]);
  });
});

test("a server that shuts down closes its links, and waits for none of their hosts", () => {
  const closed: string[] = [];
  const own: LinkEnd = {
    ...link(),
    close: (reason) => {
      closed.push(reason);
      presence.linkClosed("a", own, 0);
    },
  };
  presence.linkOpened("a", own);
  presence.close();
  expect(closed).toEqual(["the server is shutting down"]);
  clock.advance(60_000);
  expect(told).toEqual(["a here"]);
});

describe("a server that is behind with what hosts have sent", () => {
  test("calls nobody silent before it has read all that was sent until then", () => {
    const first = link();
    presence.linkOpened("a", first);
    presence.linkClosed("a", first, 0);
    behindMs = 20_000;
    clock.advance(29_000);
    expect(told).toEqual(["a here", "a gone"]);
    clock.advance(1_000);
    expect(told[2]).toBe("a silent since 0 at 30000");
  });

  test("finds the host that it had not read yet", () => {
    presence.asked("a");
    presence.promised("a", 2_000);
    behindMs = 5_000;
    clock.advance(13_000);
    presence.asked("a");
    presence.promised("a", 2_000);
    behindMs = 0;
    clock.advance(11_000);
    expect(told).toEqual(["a here"]);
  });
});

describe("a host without a link", () => {
  test("is here, and told of once, while its syncs come as promised", () => {
    for (let i = 0; i < 20; i += 1) {
      presence.asked("a");
      presence.promised("a", 2_000);
      clock.advance(11_999);
    }
    expect(told).toEqual(["a here"]);
    expect(presence.isUnlinked("a")).toBe(true);
    expect(presence.link("a")).toBeNull();
  });

  test("is gone and silent 10 s after the sync that it promised, since it was last heard", () => {
    presence.asked("a");
    clock.advance(500);
    presence.promised("a", 2_000);
    clock.advance(60_000);
    expect(told).toEqual(["a here", "a gone", "a silent since 500 at 12500"]);
    expect(presence.isUnlinked("a")).toBe(false);
    presence.asked("a");
    expect(told.at(-1)).toBe("a here");
  });

  test("waits as long as the answer takes, within a bound", () => {
    presence.asked("a");
    clock.advance(39_999);
    expect(told).toEqual(["a here"]);
    clock.advance(1);
    expect(told).toEqual(["a here", "a gone", "a silent since 0 at 40000"]);
  });

  test("that opens a link after all is known by that, and a late answer promises nothing", () => {
    presence.asked("a");
    presence.linkOpened("a", link());
    presence.promised("a", 2_000);
    presence.asked("a");
    clock.advance(3_600_000);
    expect(told).toEqual(["a here", "a here"]);
    expect(presence.isUnlinked("a")).toBe(false);
  });

  test("whose link was lost and that syncs without one is not called silent", () => {
    const lost = link();
    presence.linkOpened("a", lost);
    presence.linkClosed("a", lost, 0);
    clock.advance(4_000);
    presence.asked("a");
    presence.promised("a", 10_000);
    clock.advance(19_999);
    expect(told).toEqual(["a here", "a gone", "a here"]);
  });
});

test("hosts that were here before this process was have their time to come back, by either way", () => {
  presence.expectBack(["a", "b", "c"], clock.now(), 45_000);
  clock.advance(44_000);
  presence.linkOpened("a", link());
  presence.asked("b");
  presence.promised("b", 2_000);
  clock.advance(1_000);
  expect(told).toEqual(["a here", "b here", "c silent since 0 at 45000"]);
  expect([...presence.here()].sort()).toEqual(["a", "b"]);
});

test("a host that went before this process was is silent when it would have been, and is not given more time", () => {
  const since = clock.now();
  clock.advance(8_000);
  presence.wentAt("a", since + 6_000, 0);
  presence.expectBack(["a", "b"], since, 45_000);
  clock.advance(7_999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual(["a silent since 6000 at 16000"]);
  clock.advance(29_000);
  expect(told.slice(1)).toEqual(["b silent since 0 at 45000"]);
});

test("a host that was removed is not waited for", () => {
  const closed: string[] = [];
  presence.asked("a");
  presence.linkOpened("b", link(closed));
  presence.forget("a");
  presence.forget("b");
  clock.advance(3_600_000);
  expect(told).toEqual(["a here", "b here"]);
  expect(closed).toEqual(["the host was removed from its project"]);
  expect([presence.isUnlinked("a"), presence.link("b")]).toEqual([false, null]);
});

describe("a request for a host without a link", () => {
  const never = new AbortController().signal;
  let outcomes: string[];

  /** What waiting for one of these came to, as soon as it does. */
  function wait(hosts: string[], signal = never): void {
    const began = clock.now();
    presence.linkBack(hosts, signal).then((isBack) => outcomes.push(`${isBack} after ${clock.now() - began}`));
  }

  /** What has happened is told to all who wait. */
  const told = async () => {
    for (let i = 0; i < 10; i += 1) await Promise.resolve();
    return outcomes;
  };

  /** A host whose link was just lost. */
  function cut(host: string, silentMs = 0): void {
    const lost = link();
    presence.linkOpened(host, lost);
    presence.linkClosed(host, lost, silentMs);
  }

  beforeEach(() => {
    outcomes = [];
  });

  test("waits for the link that was lost, and goes on at once when it is there", async () => {
    cut("a");
    for (let i = 0; i < 3; i += 1) wait(["a"]);
    clock.advance(700);
    expect(await told()).toEqual([]);
    presence.linkOpened("b", link());
    expect(await told()).toEqual([]);
    presence.linkOpened("a", link());
    expect(await told()).toEqual(["true after 700", "true after 700", "true after 700"]);
  });

  test("waits for whichever of its hosts comes first", async () => {
    cut("a");
    cut("b");
    wait(["a", "b", "never heard of"]);
    presence.linkOpened("b", link());
    expect(await told()).toEqual(["true after 0"]);
    wait(["a", "b"]);
    expect(await told()).toEqual(["true after 0", "true after 0"]);
  });

  test("waits with the others for all of thousands of hosts, itself for a few of them", async () => {
    const hosts = Array.from({ length: 5_000 }, (_, i) => `h${i}`);
    presence.expectBack(hosts, clock.now(), 45_000);
    for (let i = 0; i < 512; i += 1) wait(hosts);
    for (const host of hosts.slice(0, 4)) {
      presence.linkOpened(host, link());
      if ((await told()).length > 0) break;
    }
    // Those that were told wait no more; who comes later is told at once, and the rest by the hosts that they wait for.
    expect(outcomes.length).toBeLessThan(10);
    wait(hosts);
    const before = outcomes.length;
    expect(await told()).toHaveLength(before + 1);
    for (const host of hosts.slice(4)) presence.linkOpened(host, link());
    expect(await told()).toHaveLength(513);
  });

  test("waits no longer than until the host is called silent", async () => {
    cut("a");
    cut("long unheard", 15_000);
    wait(["a"]);
    wait(["long unheard"]);
    wait(["a", "long unheard"]);
    clock.advance(5_000);
    expect(await told()).toEqual(["false after 5000"]);
    clock.advance(4_999);
    expect(await told()).toHaveLength(1);
    clock.advance(1);
    expect(await told()).toEqual(["false after 5000", "false after 10000", "false after 10000"]);
    wait(["a"]);
    expect(await told()).toHaveLength(4);
  });

  test("waits in a process that has just begun for the hosts that run something, and for no others", async () => {
    presence.expectBack(["a", "b"], clock.now(), 45_000);
    wait(["idle"]);
    expect(await told()).toEqual(["false after 0"]);
    wait(["a"]);
    wait(["b"]);
    clock.advance(12_000);
    presence.linkOpened("a", link());
    expect(await told()).toEqual(["false after 0", "true after 12000"]);
    clock.advance(33_000);
    expect((await told())[2]).toBe("false after 45000");
  });

  test("waits no more for one that is removed, that syncs without a link, or whose server ends", async () => {
    for (const host of ["removed", "unlinked", "other"]) {
      cut(host);
      wait([host]);
    }
    presence.forget("removed");
    expect(await told()).toEqual(["false after 0"]);
    presence.asked("unlinked");
    expect(await told()).toHaveLength(2);
    wait(["unlinked"]);
    expect(await told()).toHaveLength(3);
    presence.close();
    expect(await told()).toEqual(Array(4).fill("false after 0"));
  });

  test("is gone with its client, and leaves the others waiting", async () => {
    cut("a");
    const leaving = new AbortController();
    wait(["a"], leaving.signal);
    wait(["a"]);
    clock.advance(100);
    leaving.abort();
    expect(await told()).toEqual(["false after 100"]);
    wait(["a"], leaving.signal);
    expect(await told()).toHaveLength(2);
    presence.linkOpened("a", link());
    expect((await told())[2]).toBe("true after 100");
  });
});
