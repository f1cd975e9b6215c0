/** Nothing that was asked came to the engine, or no answer came from it: what became of the request is not known. */
export class EngineUnreachable extends Error {
  override name = "EngineUnreachable";
  /** There is no socket at all: the engine was stopped, or the host has none. */
  readonly noSocket: boolean;

  constructor(message: string, noSocket = false) {
    super(message);
    this.noSocket = noSocket;
  }
}

/** The engine answered, and refused; `message` is its own word, written for its developers rather than for people. */
export class EngineRefusal extends Error {
  override name = "EngineRefusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Whether the engine refused with one of these statuses. */
export function isRefusal(error: unknown, ...statuses: number[]): boolean {
  return error instanceof EngineRefusal && statuses.includes(error.status);
}

/** Why a socket cannot be used, and what to do about it. */
export function unreachable(socket: string, error: unknown): EngineUnreachable {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return new EngineUnreachable(
        `there is no Docker engine at ${socket}; start it (\`systemctl start docker\`) or name its socket with --docker-socket`,
        true,
      );
    case "ECONNREFUSED":
      return new EngineUnreachable(
        `the Docker engine at ${socket} does not run; start it (\`systemctl start docker\`)`,
      );
    case "EACCES":
    case "EPERM":
      return new EngineUnreachable(
        `the agent may not use the Docker engine at ${socket}; run the agent as root or as a member of the group docker`,
      );
    default:
      return new EngineUnreachable(`the Docker engine at ${socket} broke off (${code ?? message})`);
  }
}
