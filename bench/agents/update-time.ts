import { Bundles } from "../../test/e2e/joining/bundles.ts";
import { JoiningStage } from "../../test/e2e/joining/stage.ts";
import { until } from "../../test/support/processes.ts";
import { type BenchResult, spreadOf } from "../support/report.ts";

const ROUNDS = 3;

/**
 * How long a host without systemd takes to run another build of its agent, by the journal: from the commit that tells it
 * to, to the one that knows it back on the build.
 */
export async function updateTimes(): Promise<BenchResult["tables"][number]> {
  const stage = await JoiningStage.start();
  const bundles = new Bundles();
  try {
    const host = stage.host("gpu-1");
    const made = await stage.headrace("host", "join", "--json", "--name", "gpu-1");
    const { code, output } = await host.paste(JSON.parse(made.stdout).line);
    if (code !== 0) throw new Error(output);
    const times: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      process.stderr.write(`update of an agent, round ${round} of ${ROUNDS}\n`);
      await stage.serveFrom(await bundles.with(`round-${round}`, (agent) => `${agent}\n// Round ${round}.\n`));
      await until(
        async () => (await commitsOf(stage, "host.updated").catch(() => [])).length === round,
        () => "the host was not updated",
      );
      const [told, back] = await Promise.all(["host.updating", "host.updated"].map((type) => commitsOf(stage, type)));
      times.push((back?.at(-1)?.at ?? 0) - (told?.at(-1)?.at ?? 0));
    }
    return {
      title: `Update to another build, median of ${ROUNDS} (least - most); 2 s of it are the pause before a restart`,
      columns: [{ key: "told", title: "told -> back on it", unit: "ms" }],
      rows: [{ told: spreadOf(times) }],
    };
  } finally {
    await stage.dispose();
    bundles.dispose();
  }
}

async function commitsOf(stage: JoiningStage, type: string) {
  const { commits } = await stage.client().journal({ after: 0, limit: 500 });
  return commits.filter(({ events }) => events.some((event) => event.type === type));
}
