// @ts-check
import { connect } from "node:net";
import { runOnProjectNode } from "./bootstrap.js";

const DEFAULT_PORT = "3000";

const args = process.argv.slice(2);
const at = args.indexOf("--port");
const port = Number(at === -1 ? DEFAULT_PORT : args[at + 1]);

// Said before anything is installed: the set-up takes most of a minute the first time.
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  process.stderr.write("--port takes a port from 1 to 65535\n");
  process.exitCode = 1;
} else if (await isInUse(port)) {
  process.stderr.write(
    `Port ${port} on 127.0.0.1 is in use by another process. Stop that one, or take another port: npm run demo -- --port 3100\n`,
  );
  process.exitCode = 1;
} else {
  await runOnProjectNode("scripts/demo.ts", [...args, ...(at === -1 ? ["--port", DEFAULT_PORT] : [])]);
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isInUse(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
