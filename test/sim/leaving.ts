import { hostCaller } from "../../src/control/tokens/callers.ts";
import { ControlError } from "../../src/control/types.ts";
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

/** As in agents/host/leave.ts: the server is told for so long, and then left to find out by itself. */
export const TELL_MS = 10_000;

/** A machine's agent is taken off it: it ends what it runs, and tells the server once. */
export function leave(world: World, { spec: { project, host, credential } }: Machine): void {
  const { timeline, servers, random } = world;
  world.retire(project, host);
  if (servers.length === 0) return;
  const { control } = random.pick(servers);
  let isOver = false;
  timeline.after(TELL_MS, () => {
    isOver = true;
  });
  timeline.awaits();
  const told = hostCaller(control, `Bearer ${credential}`).then(
    (caller) => caller && control.leaveHost(caller).then(() => true),
  );
  told.then(
    (isTold) => {
      if (isTold && !isOver) world.rules.left(world.ledger(project), host);
    },
    (error) => world.coverage.saw("leave", error instanceof ControlError ? error.code : "failed"),
  );
}
