import { chat } from "../../test/support/chat.ts";

export interface Counts {
  ok: number;
  /** Not answered with 200. */
  failed: number;
  /** Answered, and ended before its end. */
  cut: number;
  /** Failed or cut, and no process that they needed was being killed. */
  unexcused: number;
}

/** A request that gets no answer in this time counts as failed; the longest stream takes seconds. */
const REQUEST_MS_MAX = 60_000;
/** Requests that may be under way at once: a server that hangs must not make the soak grow instead. */
const OPEN_MAX = 200;
const COMPLAINTS_MAX = 30;

/** Steady traffic of one service, in an open loop: a slow answer holds no later request back. */
export class Traffic {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly excuses: { from: number; to: number }[] = [];
  private open = 0;
  private counts: Counts = { ok: 0, failed: 0, cut: 0, unexcused: 0 };
  private readonly ask: (stream: boolean) => ReturnType<typeof chat>;
  readonly complaints: string[] = [];
  /** What is being done to the services, for complaints. */
  during = "";

  constructor(url: string, token: string, model: string) {
    const [json, stream] = [{ max_tokens: 4 }, { max_tokens: 48, stream: true, ignore_eos: true }];
    this.ask = (isStream) => chat(url, token, { model, ...(isStream ? stream : json) });
  }

  /** One plain request and one stream every `everyMs`. */
  start(everyMs: number): void {
    for (const isStream of [false, true]) this.timers.push(setInterval(() => void this.send(isStream), everyMs));
  }

  stop(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
  }

  /** What fails from now on until the returned function is called was to be expected. */
  excuse(): () => void {
    const excuse = { from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.excuses.push(excuse);
    return () => {
      excuse.to = Date.now();
      // Only requests of the last minute still ask.
      while (this.excuses[0] && this.excuses[0].to < Date.now() - REQUEST_MS_MAX) this.excuses.shift();
    };
  }

  /** Counts since the last call. */
  take(): Counts {
    const { counts } = this;
    this.counts = { ok: 0, failed: 0, cut: 0, unexcused: 0 };
    return counts;
  }

  private async send(isStream: boolean): Promise<void> {
    if (this.open >= OPEN_MAX) return this.complain(Date.now(), "too many requests are open", "failed");
    const from = Date.now();
    this.open += 1;
    try {
      const late = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error("no answer")), REQUEST_MS_MAX).unref();
      });
      const answer = await Promise.race([this.ask(isStream), late]);
      if (answer.status !== 200) this.complain(from, `status ${answer.status}: ${answer.body.slice(0, 200)}`, "failed");
      else if (!answer.whole)
        this.complain(from, `cut after ${answer.chunks} chunks: ${answer.body.slice(-200)}`, "cut");
      else this.counts.ok += 1;
    } catch (error) {
      this.complain(from, String(error), isStream ? "cut" : "failed");
    } finally {
      this.open -= 1;
    }
  }

  private complain(from: number, what: string, kind: "failed" | "cut"): void {
    this.counts[kind] += 1;
    if (this.excuses.some((excuse) => excuse.from < Date.now() && from < excuse.to)) return;
    this.note(`${this.during}: ${what}`);
  }

  /** Counts something that nothing excuses. */
  note(what: string): void {
    this.counts.unexcused += 1;
    // The first ones tell; a server that is down says the same thousands of times.
    if (this.complaints.length >= COMPLAINTS_MAX) return;
    const complaint = `${new Date().toISOString()}, ${what}`;
    this.complaints.push(complaint);
    process.stderr.write(`${complaint}\n`);
  }
}
