/**
 * Runs one drill: `main.ts NAME FOLDER PYTHON_BIN`, inside fresh network, mount and pid namespaces, which end every
 * process that it started when it ends, however it does. Prints the finding as one line of JSON, its last.
 */
import { DrillCluster } from "./cluster.ts";
import { DRILLS, type DrillName } from "./drills.ts";

const [name, folder, pythonBin] = process.argv.slice(2) as [DrillName, string, string];
const cluster = new DrillCluster(folder, pythonBin);
try {
  const drill = DRILLS[name];
  await cluster.start(drill.prepare?.(folder));
  const finding = await drill.run(cluster);
  if (process.env.DRILL_SHOW_LOGS) process.stderr.write(`${cluster.output()}\n`);
  await new Promise<void>((written) => process.stdout.write(`${JSON.stringify(finding)}\n`, () => written()));
  process.exit(0);
} catch (error) {
  process.stderr.write(`${cluster.output()}\n${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}
