import { beforeEach, expect, test } from "vitest";
import { World } from "../../test/support/core-world.ts";
import { serviceSpec, withGpus, workerGroup } from "../../test/support/specs.ts";
import type { Link } from "../link/link.ts";
import { linkPipe } from "../link/pipe.ts";
import { fed } from "../link/testing.ts";
import { mergedLogs } from "./logs.ts";
import type { Project } from "./project.ts";

/** A service with a worker on each of three hosts, whose logs are fed by hand. */
let world: World;
let logs: Map<string, ReturnType<typeof fed>>;
let links: Map<string, Link>;
let project: Project;
const [one, two, three] = ["w-worker-1", "w-worker-2", "w-worker-3"] as const;
const never = new AbortController().signal;

beforeEach(() => {
  world = new World();
  for (const host of ["a", "b", "c"]) world.addHost(host);
  world.apply(serviceSpec("w", [workerGroup(3)]));
  world.settle();
  logs = new Map();
  links = new Map();
  for (const host of ["a", "b", "c"]) link(host);
  project = {
    controller: { state: async () => world.state },
    presence: { link: (host: string) => links.get(host) ?? null, isUnlinked: () => false },
  } as unknown as Project;
});

function link(host: string): void {
  const { accepted } = linkPipe({
    dialled: async (open) => {
      const { replica } = open as { replica: string };
      const log = fed();
      logs.set(replica, log);
      return { head: { status: 200, headers: [] }, body: log.body };
    },
  });
  links.set(host, accepted);
}

const hostOf = (replica: string) => world.state.tables.job.byId.get(`${replica}.0`)?.host ?? "";
const line = (replica: string, text: string) => `${JSON.stringify({ replica, ageMs: 0, attempt: 1, text })}\n`;
const say = (replica: string, lines: string) => logs.get(replica)?.give(lines);
const open = (requestsMax = 100, service = "w") =>
  mergedLogs(project, service, { tailLines: 10, follow: true }, never, requestsMax);

/** Lines of a stream, as they come. */
async function* linesOf(body: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const each of lines) yield JSON.parse(each);
  }
  expect(rest).toBe("");
}

test("a log that breaks off says so in its place, without its half line, and the others' go on", async () => {
  const lines = linesOf(await open());
  const next = async () => (await lines.next()).value;
  say(one, `${line(one, "first")}{"replica":"w-wor`);
  expect(await next()).toMatchObject({ replica: one, text: "first" });
  links.get(hostOf(one))?.close("the network is gone");
  expect(await next()).toEqual({
    replica: one,
    error: {
      code: "unavailable",
      message: `the log of ${one} breaks off here: the connection to its host ${hostOf(one)} was lost`,
    },
  });
  for (const replica of [two, three]) {
    say(replica, line(replica, "still here"));
    expect(await next()).toMatchObject({ replica, text: "still here" });
  }
  for (const replica of [two, three]) logs.get(replica)?.controller.close();
  expect((await lines.next()).done).toBe(true);
});

test("a log that cannot be asked for is named among the others", async () => {
  links.delete(hostOf(two));
  const lines = linesOf(await open());
  expect((await lines.next()).value).toEqual({
    replica: two,
    error: { code: "unavailable", message: `no log of ${two}: its host ${hostOf(two)} is not connected` },
  });
  say(three, line(three, "here"));
  expect((await lines.next()).value).toMatchObject({ replica: three, text: "here" });
});

test("logs for which too many hosts would have to be asked are named among the others, with how to read them", async () => {
  const lines = linesOf(await open(2));
  expect((await lines.next()).value).toEqual({
    replica: three,
    error: {
      code: "unavailable",
      message: `no log of ${three}: logs of 2 replicas at most are read at once; read this one with --replica`,
    },
  });
  say(one, line(one, "here"));
  expect((await lines.next()).value).toMatchObject({ replica: one, text: "here" });
  expect([...logs.keys()].sort()).toEqual([one, two]);
});

test("it is refused where there is no log at all, in the words of each host", async () => {
  links.clear();
  await expect(open()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^no log can be read: w-worker-1: its host . is not connected; w-worker-2: /),
  });
  world.apply(serviceSpec("big", [workerGroup(1, withGpus(8))]));
  await expect(open(100, "big")).rejects.toMatchObject({
    message: "no log can be read: big-worker-4 runs on no host yet",
  });
});
