import { shortBuild } from "../spec/index.ts";
import { oneLine } from "./style.ts";

/** A build of the agent, as a server tells it: enough of its name for a fleet's file to name it. */
export function buildText(build: string): string {
  return oneLine(shortBuild(build));
}
