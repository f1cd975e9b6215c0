import { once } from "node:events";
import { WebSocket } from "ws";

/** The heap of the Worker's isolate, its objects' included, as workerd's inspector tells it. */
export class IsolateHeap {
  readonly #socket: WebSocket;
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** @param port of the inspector, on this machine */
  static async at(port: number): Promise<IsolateHeap> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/headrace`);
    await once(socket, "open");
    return new IsolateHeap(socket);
  }

  /** What it has taken of the machine's memory, what is not collected yet among it, and what its buffers hold; in MiB. */
  async mib(): Promise<number> {
    this.#asked += 1;
    const id = this.#asked;
    this.#socket.send(JSON.stringify({ id, method: "Runtime.getHeapUsage" }));
    for (;;) {
      const [message] = await once(this.#socket, "message");
      const answer = JSON.parse(String(message));
      if (answer.id === id) return (answer.result.totalSize + answer.result.backingStorageSize) / 1_024 ** 2;
    }
  }

  close(): void {
    this.#socket.terminate();
  }
}
