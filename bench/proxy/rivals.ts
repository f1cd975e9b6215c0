import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { ensurePrograms } from "../../scripts/system-packages.ts";
import { freePort } from "../../test/support/ports.ts";
import { type Running, runProcess, startProcess, until } from "../../test/support/processes.ts";

/** A way to the upstream that is not ours. */
export interface Rival extends AsyncDisposable {
  port: number;
  /** Processes that work for it, with their children. */
  pids: Record<string, number>;
}

const PATH = `${process.env.PATH}:/usr/sbin`;

export function ensureRivals(): void {
  ensurePrograms([
    { program: "nginx", package: "nginx-light", purpose: "the proxy that ours is compared with" },
    { program: "sshd", package: "openssh-server", purpose: "the tunnel that the link is compared with" },
    { program: "ssh", package: "openssh-client", purpose: "the tunnel that the link is compared with" },
  ]);
}

/** nginx as one sets it up before an engine: connections to it kept, nothing buffered, a process for each core. */
export async function startNginx(folder: string, upstreamPort: number): Promise<Rival> {
  const port = await freePort();
  const home = join(folder, `nginx-${port}`);
  await mkdir(home, { recursive: true });
  const config = `
    daemon off; pid ${home}/pid; error_log stderr error; worker_processes auto;
    events { worker_connections 1024; }
    http {
      access_log off;
      client_body_temp_path ${home}/body; proxy_temp_path ${home}/proxy; fastcgi_temp_path ${home}/fastcgi;
      uwsgi_temp_path ${home}/uwsgi; scgi_temp_path ${home}/scgi;
      keepalive_requests 10000000;
      upstream engine { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 10000000; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://engine; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_buffering off; proxy_request_buffering off;
        }
      }
    }`;
  const file = join(home, "nginx.conf");
  await writeFile(file, config);
  const nginx = startProcess(["nginx", "-p", home, "-e", "stderr", "-c", file], { PATH });
  await untilListening(port, nginx);
  return { port, pids: { nginx: nginx.pid }, [Symbol.asyncDispose]: () => nginx.stop() };
}

/** `ssh -L` to an sshd on the loopback, with keys that live as long as the folder does. */
export async function startTunnel(folder: string, upstreamPort: number): Promise<Rival> {
  const [port, sshdPort] = [await freePort(), await freePort()];
  const home = join(folder, "ssh");
  await mkdir(home, { recursive: true, mode: 0o700 });
  const [hostKey, userKey] = [join(home, "host"), join(home, "user")];
  for (const key of [hostKey, userKey]) {
    const made = await runProcess(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], { PATH });
    if (made.code !== 0) throw new Error(`ssh-keygen: ${made.output}`);
  }
  const config = join(home, "sshd.conf");
  const lines = [
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${userKey}.pub`,
    "PidFile none",
    "UsePAM no",
    "StrictModes no",
  ];
  await writeFile(config, [...lines, `ListenAddress 127.0.0.1:${sshdPort}`, "PermitRootLogin yes"].join("\n"));
  // Without this folder, which is a boot's to make, an sshd of root does not start.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true });
  // sshd starts itself anew for each connection and insists on its full path for that.
  const sshd = startProcess(["/usr/sbin/sshd", "-D", "-e", "-f", config], { PATH });
  await untilListening(sshdPort, sshd);
  const options = [
    "StrictHostKeyChecking=no",
    `UserKnownHostsFile=${home}/known`,
    "IdentitiesOnly=yes",
    "BatchMode=yes",
  ];
  const flags = [
    "-F",
    "none",
    "-N",
    "-i",
    userKey,
    "-p",
    `${sshdPort}`,
    ...options.flatMap((option) => ["-o", option]),
  ];
  const forward = ["-L", `127.0.0.1:${port}:127.0.0.1:${upstreamPort}`];
  const ssh = startProcess(["ssh", ...flags, ...forward, `${userInfo().username}@127.0.0.1`], { PATH });
  await untilListening(port, ssh);
  return {
    port,
    pids: { ssh: ssh.pid, sshd: sshd.pid },
    async [Symbol.asyncDispose]() {
      await ssh.stop();
      await sshd.stop();
    },
  };
}

async function untilListening(port: number, process: Running): Promise<void> {
  await until(() => accepts(port), process.output, 10_000);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
