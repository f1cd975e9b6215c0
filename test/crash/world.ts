import { createHash, randomBytes } from "node:crypto";
import { INVENTORY, ObedientAgent } from "../support/obedient-agent.ts";

/** What the outside world holds while control planes come and go: tokens, and one host's agent. */
export interface World {
  adminToken: string;
  joinToken: string;
  /** By which the join token is revoked. */
  joinTokenId: string;
  agent: ObedientAgent | null;
  /** The host that is to be removed: its machine is off for good. */
  removed: string | null;
}

/** One thing that is asked of a control plane, and what follows from it until everything is as asked. */
export interface Operation {
  name: string;
  /** At least so many writes are needed: fewer would mean that nothing was tried. */
  writesMin: number;
  /** Sends the request; the same `key` names the same request. @returns what the server answered @throws when it did not */
  request(url: string, world: World, key: string): Promise<unknown>;
  /** Takes the answer into the world. */
  take?(world: World, answer: never): void;
  /** Whether all that follows has happened. */
  isDone(url: string, world: World): Promise<boolean>;
}

const SERVICE = "chat";
const MACHINE = "m1";

/** A router and plain workers with a value passed through. */
const CONFIG = (workers: number, env = "") => `
type: service
name: ${SERVICE}
env: [HF_TOKEN${env}]
replicas:
  - name: router
    count: 1
    commands: [smg launch --host 0.0.0.0 --port 8000]
    router: {type: sglang}
    resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}
  - name: worker
    count: ${workers}
    commands: [python -m sglang.launch_server --model-path m --host 0.0.0.0 --port $HEADRACE_PORT]
    resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}
port: 8000
model: m
probes: [{type: http, url: /health}]
`;

const SECRET = "API_KEY";

/** The bytes of a file that travels with the service; nobody here unpacks them. */
const FILE = Buffer.from("an archive");
const FILE_SHA256 = createHash("sha256").update(FILE).digest("hex");

/** A project with a host. */
const BEGINNING: Operation[] = [
  {
    name: "a token is made",
    writesMin: 1,
    request: (url, { adminToken }, key) =>
      send(url, adminToken, "POST", "/api/projects/main/tokens", key, { kind: "join", name: "host" }),
    take(world, { id, token }: { id: string; token: string }) {
      world.joinToken = token;
      world.joinTokenId = id;
    },
    isDone: async () => true,
  },
  {
    name: "a host joins",
    writesMin: 2,
    async request(url, world) {
      // Chosen before the first attempt and the same in the next, as an agent keeps it.
      world.agent ??= new ObedientAgent("", `hrh_${randomBytes(32).toString("base64url")}`, MACHINE);
      const credentialHash = ObedientAgent.hashOf(world.agent.credential);
      const about = { name: "h1", machine: MACHINE, agentVersion: "0", inventory: INVENTORY, credentialHash };
      return send(url, world.joinToken, "POST", "/agent/join", "unused-here", about);
    },
    take(world, { host }: { host: string }) {
      world.agent = new ObedientAgent(host, world.agent?.credential ?? "", MACHINE);
    },
    isDone: async () => true,
  },
];

/** An apply, and two that change a count. */
const applied = (send: typeof apply): Operation[] => [
  {
    name: "a service is applied",
    writesMin: 2,
    request: (url, { adminToken }, key) => send(url, adminToken, key, 2),
    isDone: (url, { adminToken }) => hasReady(url, adminToken, 2),
  },
  {
    name: "a group is made smaller",
    writesMin: 2,
    request: (url, { adminToken }, key) => send(url, adminToken, key, 1),
    isDone: (url, { adminToken }) => hasReady(url, adminToken, 1),
  },
  {
    name: "a group is made larger",
    writesMin: 2,
    request: (url, { adminToken }, key) => send(url, adminToken, key, 3),
    isDone: (url, { adminToken }) => hasReady(url, adminToken, 3),
  },
];

/** The beginning of a life with nothing but a service, which `apply` changes. */
export const PLAIN_LIFE: Operation[] = [...BEGINNING, ...applied(apply).slice(0, 2)];

/** A life of a server, each step on what the one before left. */
export const LIFE: Operation[] = [
  ...BEGINNING,
  {
    name: "the join token is revoked",
    writesMin: 1,
    request: (url, { adminToken, joinTokenId }, key) =>
      send(url, adminToken, "DELETE", `/api/projects/main/tokens/${joinTokenId}`, key),
    isDone: async () => true,
  },
  {
    name: "a secret is set",
    writesMin: 1,
    request: (url, { adminToken }, key) =>
      send(url, adminToken, "PUT", `/api/projects/main/secrets/${SECRET}`, key, { value: "plain-secret" }),
    isDone: async () => true,
  },
  {
    name: "a file is uploaded",
    writesMin: 1,
    request: (url, { adminToken }) => upload(url, adminToken),
    isDone: async () => true,
  },
  ...applied(applyAll),
  {
    name: "the service is stopped",
    writesMin: 3,
    request: (url, { adminToken }, key) =>
      send(url, adminToken, "POST", `/api/projects/main/services/${SERVICE}/stop`, key),
    isDone: async (url, { adminToken }) => (await view(url, adminToken))?.status === "stopped",
  },
  {
    name: "the service is deleted",
    writesMin: 1,
    request: (url, { adminToken }, key) =>
      send(url, adminToken, "DELETE", `/api/projects/main/services/${SERVICE}`, key),
    isDone: async (url, { adminToken }) => (await view(url, adminToken)) === null,
  },
  {
    name: "the secret is deleted",
    writesMin: 1,
    request: (url, { adminToken }, key) => send(url, adminToken, "DELETE", `/api/projects/main/secrets/${SECRET}`, key),
    isDone: async () => true,
  },
];

/** The same to the end of its host. */
export const WHOLE_LIFE: Operation[] = [
  ...LIFE,
  {
    // One write: what the host leaves behind goes with it or not at all.
    name: "the host is removed",
    writesMin: 1,
    request(url, world, key) {
      world.removed ??= world.agent?.host ?? "";
      world.agent?.close();
      world.agent = null;
      return send(url, world.adminToken, "DELETE", `/api/projects/main/hosts/${world.removed}`, key);
    },
    isDone: async () => true,
  },
];

export function apply(url: string, token: string, key: string, workers: number): Promise<unknown> {
  const body = { config: CONFIG(workers), file: "chat.yml", env: { HF_TOKEN: "hf-plain-text" } };
  return send(url, token, "POST", "/api/projects/main/apply", key, body);
}

/** The same with the secret and the file: one of everything that an apply writes. */
function applyAll(url: string, token: string, key: string, workers: number): Promise<unknown> {
  const config = `${CONFIG(workers, `, "${SECRET}=\${{ secrets.${SECRET} }}"`)}files: [app]\n`;
  const files = [{ localPath: "app", sha256: FILE_SHA256, bytes: FILE.byteLength }];
  const body = { config, file: "chat.yml", env: { HF_TOKEN: "hf-plain-text" }, files };
  return send(url, token, "POST", "/api/projects/main/apply", key, body);
}

async function upload(url: string, token: string): Promise<{ status: number }> {
  const { status } = await fetch(`${url}/api/projects/main/files/${FILE_SHA256}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/x-tar" },
    body: FILE,
  });
  if (status !== 204) throw new Error(`an upload was answered ${status}`);
  return { status };
}

/** Whether the service serves with so many workers and nothing of it is left to be done. */
export async function hasReady(url: string, token: string, workers: number): Promise<boolean> {
  const service = await view(url, token);
  return (
    service?.ready === true &&
    service.replicas.length === workers + 1 &&
    service.replicas.every(({ status }) => status === "ready")
  );
}

interface View {
  status: string;
  ready: boolean;
  replicas: { status: string }[];
}

async function view(url: string, token: string): Promise<View | null> {
  const { services } = (await send(url, token, "GET", "/api/projects/main/services", null)) as {
    services: (View & { name: string })[];
  };
  return services.find(({ name }) => name === SERVICE) ?? null;
}

/** One request of the API. @throws Error when it is refused or not answered */
async function send(
  url: string,
  token: string,
  method: string,
  path: string,
  key: string | null,
  body?: unknown,
): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(key === null ? {} : { "idempotency-key": key }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
