import { request } from "node:http";
import { reasonOf } from "../log.ts";
import { localSocketPath } from "./local-socket.ts";

const ANSWER_MS_MAX = 10_000;

/** What the agent of a data folder answers at a path of its local socket. @throws Error for people */
export async function askAgent(dataDir: string, path: "/status" | "/debug/state"): Promise<string> {
  const socketPath = localSocketPath(dataDir);
  try {
    return await read(socketPath, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") throw new Error(`${socketPath} is open to the user alone whom the agent runs as: use sudo.`);
    const reason = code === "ENOENT" || code === "ECONNREFUSED" ? "" : ` (${reasonOf(error)})`;
    throw new Error(`No agent answers at ${socketPath}${reason}. Is one running with this data folder (--data-dir)?`);
  }
}

function read(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const sent = request({ socketPath, path, agent: false, signal }, async (answer) => {
      try {
        let text = "";
        for await (const chunk of answer.setEncoding("utf8")) text += chunk;
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`it answered ${answer.statusCode}`));
      } catch (error) {
        reject(error);
      }
    });
    sent.on("error", reject);
    sent.end();
  });
}
