import type { Running } from "../../support/processes.ts";

/** All that the scene's processes have said. */
export function outputOf(running: readonly Running[]): string {
  return running.map((each) => `--- pid ${each.pid}\n${each.output()}`).join("\n");
}

/**
 * Plays a scene and tells what came of it as JSON, in the last line: what `runInNamespaces` reads. Where it fails it says
 * why, and all that its processes said.
 * @param running the processes that it has started, as they come
 * @param clear ends what is left, however the scene went
 */
export async function tell(
  scene: () => Promise<unknown>,
  running: readonly Running[],
  clear: () => unknown = () => Promise.all(running.map((each) => each.stop())),
): Promise<void> {
  try {
    console.log(JSON.stringify(await scene()));
  } catch (error) {
    console.error(error);
    console.error(outputOf(running));
    process.exitCode = 1;
  } finally {
    await clear();
  }
}
