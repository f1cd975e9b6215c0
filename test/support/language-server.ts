import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What the server says of a place in a file; lines and columns count from 0. */
export interface Diagnostic {
  range: { start: { line: number; character: number } };
  message: string;
}

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

/** How long an answer may take on a busy machine; it is usually there within milliseconds. */
const ANSWER_MS = 60_000;

/** No schemas from the network: the file itself names its schema. */
const settings: Record<string, unknown> = {
  yaml: { validate: true, completion: true, schemaStore: { enable: false } },
};

/**
 * yaml-language-server as a process, spoken to as editors do: messages over standard input and output, each behind a
 * `Content-Length`.
 */
export class LanguageServer implements AsyncDisposable {
  readonly #child = spawn(process.execPath, [programPath(), "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  readonly #waiting = new Map<string, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #received = Buffer.alloc(0);
  #lastId = 0;

  private constructor() {
    this.#child.stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
  }

  /** @param folder where the files are, as a URL that ends in a slash */
  static async start(folder: string): Promise<LanguageServer> {
    const server = new LanguageServer();
    const capabilities = {
      textDocument: { publishDiagnostics: {}, completion: { completionItem: { documentationFormat: ["plaintext"] } } },
      workspace: { configuration: true, workspaceFolders: true },
    };
    const workspaceFolders = [{ uri: folder, name: "test" }];
    await server.#ask("initialize", { processId: process.pid, rootUri: folder, workspaceFolders, capabilities });
    server.#tell("initialized", {});
    server.#tell("workspace/didChangeConfiguration", { settings });
    return server;
  }

  /** What the server marks in a file with this text, which it has not been shown before. */
  async diagnose(uri: string, text: string): Promise<Diagnostic[]> {
    const answer = this.#expect(`diagnostics ${uri}`);
    this.#tell("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
    return (await answer) as Diagnostic[];
  }

  /** What the server offers at the end of a text. */
  async complete(uri: string, text: string): Promise<string[]> {
    const lines = text.split("\n");
    const position = { line: lines.length - 1, character: lines.at(-1)!.length };
    this.#tell("textDocument/didOpen", { textDocument: { uri, languageId: "yaml", version: 1, text } });
    const answer = (await this.#ask("textDocument/completion", { textDocument: { uri }, position })) as {
      items: { label: string }[];
    };
    return answer.items.map(({ label }) => label);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = this.#expect(`answer ${id}`);
    this.#send({ id, method, params });
    return answer;
  }

  #tell(method: string, params: unknown): void {
    this.#send({ method, params });
  }

  #expect(what: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error(`no ${what} within ${ANSWER_MS} ms`)), ANSWER_MS);
    this.#waiting.set(what, { resolve, reject });
    return promise.finally(() => clearTimeout(timer));
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const head = this.#received.indexOf("\r\n\r\n");
      const length = /Content-Length: (\d+)/i.exec(this.#received.subarray(0, Math.max(head, 0)).toString())?.[1];
      if (length === undefined) return;
      const end = head + 4 + Number(length);
      if (this.#received.length < end) return;
      const body = this.#received.subarray(head + 4, end).toString();
      this.#received = this.#received.subarray(end);
      this.#handle(JSON.parse(body) as Message);
    }
  }

  #handle({ id, method, params, result, error }: Message): void {
    if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Diagnostic[] };
      this.#settle(`diagnostics ${uri}`, diagnostics);
    } else if (method === "workspace/configuration") {
      const { items } = params as { items: { section: string }[] };
      this.#send({ id: id!, result: items.map(({ section }) => settings[section] ?? {}) });
    } else if (method !== undefined && id !== undefined) {
      this.#send({ id, result: null });
    } else if (id !== undefined) {
      if (error === undefined) this.#settle(`answer ${id}`, result);
      else this.#waiting.get(`answer ${id}`)?.reject(new Error(error.message));
    }
  }

  #settle(what: string, value: unknown): void {
    this.#waiting.get(what)?.resolve(value);
    this.#waiting.delete(what);
  }
}

function programPath(): string {
  const manifest = createRequire(import.meta.url).resolve("yaml-language-server/package.json");
  return join(dirname(manifest), "bin", "yaml-language-server");
}
