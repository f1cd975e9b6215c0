import { startServer } from "../../src/node.ts";
import { type Fault, FaultyStore } from "./fault.ts";

// The control plane, as `headrace server` starts it, as a process that is hit at one of its writes.
//
//   node server.ts '{"dataDir": ..., "keyFile": ..., "fault": ...}'     with a channel to its parent

export interface CrashServerOptions {
  dataDir: string;
  keyFile: string;
  /** From the start on; others are sent over the channel. */
  fault: Fault | null;
}

/** What it says: that it serves; to a fault that it is set; to `count` how many writes there were since. */
export type CrashServerSays = { url: string; adminToken: string | null } | { writes: number };

const { dataDir, keyFile, fault }: CrashServerOptions = JSON.parse(process.argv[2] ?? "");
const faulty = new FaultyStore();
await faulty.set(fault);
const say = (what: CrashServerSays) => process.send?.(what);
process.on("message", async (sent: Fault | "count") => {
  if (sent !== "count") await faulty.set(sent);
  say({ writes: faulty.writes });
});
// Without a parent there is nobody left to be tested by.
process.on("disconnect", () => process.exit(0));
const server = await startServer({ dataDir, keyFile, host: "127.0.0.1", port: 0 }, undefined, (store) =>
  faulty.around(store),
);
say({ url: server.url, adminToken: server.firstStart?.adminToken ?? null });
