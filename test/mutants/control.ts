import type { Mutant } from "./types.ts";

const contract = (test: string) => ({ file: "test/contract/controller.test.ts", test });

/** A rule that is looked at after each commit has to say so. */
const storm = (when: string) => ({
  file: "test/sim/storms.test.ts",
  test: `a server that reads slowly decides nothing about hosts whose reports wait, when > ${when}`,
  rule: "what was sent in time is read first",
});

export const controlMutants: Mutant[] = [
  {
    file: "src/control/hosts/next-sync.ts",
    replace: "Math.min(WAITS * waitedMs, ",
    by: "Math.min(0, ",
    breaks: "A server that cannot keep up is asked again and again by hosts that have given up waiting.",
    caughtBy: {
      file: "test/sim/storms.test.ts",
      test: "a server that is too slow for how often hosts come asks them to come more rarely, and hardly a report is given up",
    },
  },
  {
    file: "src/control/controller.ts",
    replace: "        if (!isBusy && !(error instanceof UnclearOutcome)) throw error;\n",
    by: '        if (error instanceof UnclearOutcome) return { kind: "conflict" as const, commitId: "" };\n',
    breaks: "When the answer to a batch is lost, a new step is taken instead of sending the same batch again.",
    caughtBy: contract("a change > whose commit loses its answer is sent again as it was, and is done once"),
  },
  {
    file: "src/control/controller.ts",
    replace: "    const outcome = await this.write(commit);\n",
    by: "    answerAll(batch, result, commit.version);\n    const outcome = await this.write(commit);\n",
    breaks: "A user is told that a change is made before it is.",
    caughtBy: {
      ...contract("a change > is answered only once its commit is known to be written"),
      simulation: "6: nothing acknowledged is lost",
    },
  },
  {
    file: "src/control/controller.ts",
    replace: 'if (request.idempotency && answer.kind !== "refused")',
    by: 'if (request.idempotency && answer.kind === "refused")',
    breaks: "A request sent again after a restart is done a second time, since its answer was not written with it.",
    caughtBy: contract("a change > repeated under its key gets the first answer and changes nothing"),
  },
  {
    file: "src/control/controller.ts",
    replace: '      if (isRefused && (await this.answerRepeated(batch))) return "again";\n',
    by: "",
    breaks: "A request that another server has just answered fails instead of getting that answer.",
    caughtBy: {
      ...contract(
        "two controllers on one database > a request that the other one answers after it was looked for is answered the same",
      ),
      rule: "UNIQUE constraint failed: idempotency_keys",
    },
  },
  {
    file: "src/control/hosts/host-sync.ts",
    replace: "    await controller.catchUp(report.applied.version);\n",
    by: "",
    breaks: "A stale controller answers an agent that knows more than it does.",
    caughtBy: contract("two controllers on one database > a stale one that answers a sync reads first"),
  },
  {
    file: "src/control/hosts/host-sync.ts",
    replace: "(seq <= last.seq || text === last.content)",
    by: "(text === last.content)",
    breaks: "A report that was overtaken on its way takes back what a newer one said.",
    caughtBy: contract("a sync > that was overtaken on its way is not taken in"),
  },
  {
    file: "src/control/hosts/host-sync.ts",
    replace: "if (report.agent.machine !== host.machine) {",
    by: 'if (report.agent.machine === "") {',
    breaks: "Two machines report under one credential, each taking back what the other said.",
    caughtBy: {
      ...contract("a sync > of another machine, or of an agent that was taken over, is refused"),
      rule: "instead of rejecting",
    },
  },
  {
    file: "src/control/hosts/presence.ts",
    replace: "const behindMs = moment - this.parts.heardUpTo();",
    by: "const behindMs = moment - this.parts.clock.now();",
    breaks: "A host is held to be silent whose report waits at a server that is slow.",
    caughtBy: storm("all links are cut at once"),
  },
  {
    file: "src/control/hosts/report-turns.ts",
    replace:
      "    for (const report of this.#underWay) if (report.project === project) oldest = Math.min(oldest, report.since);\n",
    by: "",
    breaks: "A host is held to be silent whose report was read, while what follows from it is being written.",
    caughtBy: {
      file: "src/control/hosts/report-turns.test.ts",
      test: "it is known up to when all that a project's hosts have sent was read",
    },
  },
  {
    file: "src/control/hosts/host-sync.ts",
    replace: " || presence.isCalledSilent(id);",
    by: ";",
    breaks:
      "A host that says again what it said before stays silent, since its silence was being written when it said so.",
    caughtBy: {
      file: "src/control/hosts/host-sync.test.ts",
      test: "a report that says nothing new > brings back a host whose silence is being written",
    },
  },
  {
    file: "src/control/hosts/presence.ts",
    replace: "if (expected.length === 0 || signal.aborted) return false;",
    by: "return false;",
    breaks: "Requests fail after the control plane was started until the host that serves them has dialled.",
    caughtBy: {
      file: "src/control/hosts/presence.test.ts",
      test: "a request for a host without a link > waits for the link that was lost, and goes on at once when it is there",
    },
  },
  {
    file: "src/proxy/forward.ts",
    replace: "isCutOff &&= isAbsent;",
    by: ";",
    breaks: "A request that a replica may have seen waits for a link and is sent once more.",
    caughtBy: {
      file: "src/proxy/waits.test.ts",
      test: "a request whose hosts have no link > is not sent once more after a replica may have seen it",
    },
  },
  {
    file: "src/store/commit.ts",
    replace: 'kind === "host" ? [id] : []',
    by: "[]",
    breaks: "A host that was removed comes back with the credential that it had.",
    caughtBy: {
      file: "test/contract/libsql-store.test.ts",
      test: "store contract: libSQL, embedded file > credentials > a host's goes with the host, in the same commit, and its join token does not bring it back",
    },
  },
  {
    file: "src/store/credential-rows.ts",
    replace: " OR EXISTS (${usable} AND NOT ${among})",
    by: " OR 1",
    breaks: "Admins that revoke each other's token at the same moment leave nobody who can make another.",
    caughtBy: {
      file: "test/contract/libsql-store.test.ts",
      test: "store contract: libSQL, embedded file > credentials > of admin tokens that end each other at the same time the last stays, and its commit leaves nothing",
    },
  },
  {
    file: "src/control/project.ts",
    replace: "if (this.hasSaidBuild || build === null || !state) return;",
    by: "if (build === null || !state) return;",
    breaks: "Two servers take back in turns which build of the agent is given out.",
    caughtBy: {
      file: "src/control/hosts/given-out.test.ts",
      test: "a server says once which build of the agent it gives out, whatever another one says after it",
      simulation: "no build is taken back",
    },
  },
];
