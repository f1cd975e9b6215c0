import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "../../support/ports.ts";
import { runProcess, startProcess, until } from "../../support/processes.ts";

/** An SSH server of this machine's user on an address of the loopback, which lets one key in. */
export interface Sshd {
  address: string;
  port: number;
  user: string;
  /** The private key that it lets in. */
  identityFile: string;
  /** The line of known_hosts that is true of it. */
  knownHost: string;
  stop(): Promise<void>;
}

/** @param settings variables of every session there */
export async function startSshd(folder: string, address: string, settings: Record<string, string> = {}): Promise<Sshd> {
  mkdirSync(folder);
  const [hostKey, identityFile] = [join(folder, "host"), join(folder, "id")];
  for (const key of [hostKey, identityFile]) await keygen(key);
  const port = await freePort();
  const config = [
    `Port ${port}`,
    `ListenAddress ${address}`,
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${identityFile}.pub`,
    `PidFile ${join(folder, "pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    ...(Object.keys(settings).length === 0
      ? []
      : [
          `SetEnv ${Object.entries(settings)
            .map(([name, value]) => `"${name}=${value}"`)
            .join(" ")}`,
        ]),
  ];
  writeFileSync(join(folder, "config"), `${config.join("\n")}\n`);
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const running = startProcess(["/usr/sbin/sshd", "-D", "-e", "-f", join(folder, "config")], process.env);
  await until(() => running.output().includes("Server listening"), running.output);
  return {
    address,
    port,
    user: userInfo().username,
    identityFile,
    knownHost: await knownHost(address, port, hostKey),
    stop: () => running.stop(),
  };
}

/** The line with which known_hosts takes a key for an address's own. */
export async function knownHost(address: string, port: number, key: string): Promise<string> {
  const { stdout } = await runProcess(["ssh-keygen", "-y", "-f", key], process.env);
  return `[${address}]:${port} ${stdout.split(" ").slice(0, 2).join(" ").trim()}\n`;
}

export async function keygen(path: string): Promise<void> {
  const made = await runProcess(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], process.env);
  if (made.code !== 0) throw new Error(made.output);
}
