import { type Caller, ControlError } from "../../src/control/types.ts";
import { configOf, type Wanted } from "./config.ts";
import { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Mean time between two things that a user asks for. */
const PAUSE_MS = 35_000;
/** A user who got no answer gives up waiting after this and asks again with the same key. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 2_000;
/** Share of requests that are sent once more although they were answered. */
const REPEATED_SHARE = 0.2;

type Ask =
  | { kind: "apply"; wanted: Wanted; expectedRevision: number | null; token: string }
  | { kind: "stop"; service: string }
  | { kind: "delete"; service: string }
  | { kind: "cordon"; host: string; drain: boolean }
  | { kind: "uncordon"; host: string }
  | { kind: "remove"; host: string; force: boolean }
  | { kind: "fleet"; config: string };

/** Writes whatever there is already, since nobody has asked for it before or since its answer has to be remembered. */
const LAST: Ask = {
  kind: "apply",
  wanted: {
    service: "gamma",
    shape: "plain",
    routers: 0,
    prefills: 0,
    workers: 0,
    gpus: 1,
    hasImage: false,
    drainTimeoutS: 30,
    maxDurationS: null,
  },
  expectedRevision: null,
  token: "hf-1",
};

/** One request of a user, until it is answered. */
export interface Asked {
  key: string;
  project: string;
  ask: Ask;
  /** Whether what it is about was there when it was sent last: a host, which is never there again once it is gone. */
  wasThere: boolean;
  /** Set once it was answered: the answer, or the refusal. */
  answer: { version: number; text: string } | { refused: string } | null;
  done(): void;
}

/** People who apply, change, stop and delete services, and who ask again when they got no answer. */
export class Users {
  readonly asked: Asked[] = [];
  private readonly world: World;
  private readonly random: Random;
  private readonly extras: Random;
  /** What only some runs have, so that most seeds mean what they have always meant. */
  private readonly has: { twoRouters: boolean; maxDuration: boolean };
  /** The same for a service as long as a life lasts. */
  private readonly workersOf: Readonly<Record<string, Pick<Wanted, "gpus" | "hasImage">>>;
  private readonly projects: string[];
  private readonly services = ["alpha", "beta"];
  private isOver = false;
  private serial = 0;

  constructor(world: World, seed: number, projects: string[]) {
    this.world = world;
    this.random = new Random(seed, "users");
    this.extras = new Random(seed, "extras of services");
    this.has = { twoRouters: this.extras.chance(0.3), maxDuration: this.extras.chance(0.2) };
    const kinds = new Random(seed, "workers of services");
    const kind = () => ({ gpus: kinds.chance(0.25) ? 2 : 1, hasImage: kinds.chance(0.3) });
    this.workersOf = { alpha: kind(), beta: kind() };
    this.projects = projects;
  }

  begin(): void {
    for (const project of this.projects) {
      this.ask(project, this.apply("alpha"));
      if (this.random.chance(0.5)) this.ask(project, this.apply("beta"));
    }
    this.next();
  }

  /**
   * Nobody asks for anything new but one last thing of each project, by which a server that another one has overtaken
   * finds out; what was asked is asked until it is answered.
   */
  end(): void {
    this.isOver = true;
    for (const project of this.projects) this.ask(project, LAST);
  }

  get isWaiting(): boolean {
    return this.asked.some(({ answer }) => answer === null);
  }

  private next(): void {
    this.world.timeline.after(this.random.span(PAUSE_MS), () => {
      if (this.isOver) return;
      this.ask(this.random.pick(this.projects), this.something());
      this.next();
    });
  }

  private something(): Ask {
    const service = this.random.pick(this.services);
    const draw = this.random.next();
    if (draw < 0.6) return this.apply(service);
    return draw < 0.85 ? { kind: "stop", service } : { kind: "delete", service };
  }

  private apply(service: string): Ask {
    const wanted: Wanted = {
      service,
      // Nearly always the same, since only counts can change while it runs.
      shape: this.random.chance(0.1) ? "plain" : service === "alpha" ? "prefill-decode" : "routed",
      routers: this.has.twoRouters && this.extras.chance(0.7) ? 2 : 1,
      prefills: this.random.int(1, 2),
      workers: this.random.int(0, 3),
      ...(this.workersOf[service] as Pick<Wanted, "gpus" | "hasImage">),
      drainTimeoutS: this.random.chance(0.1) ? 5 : 30,
      // Shorter than a run, and longer than it takes until a service is ready.
      maxDurationS: this.has.maxDuration && this.extras.chance(0.5) ? this.extras.int(30, 120) : null,
    };
    const expectedRevision = this.random.chance(0.1) ? this.random.int(0, 3) : null;
    return { kind: "apply", wanted, expectedRevision, token: this.random.chance(0.9) ? "hf-1" : "hf-2" };
  }

  /** @param done called once it was done, and not when it was refused */
  ask(project: string, ask: Ask, done: () => void = () => {}): void {
    this.serial += 1;
    const asked: Asked = { key: `key-${this.serial}`, project, ask, wasThere: false, answer: null, done };
    this.asked.push(asked);
    this.world.note("user", `asks ${asked.key}: ${JSON.stringify(ask)}`);
    this.send(asked);
  }

  private send(asked: Asked): void {
    const { timeline, servers } = this.world;
    const again = () => this.send(asked);
    if (servers.length === 0) return void timeline.after(RETRY_MS, again);
    const server = this.random.pick(servers);
    asked.wasThere = this.isThere(asked);
    let isHeard = false;
    const answered = (take: () => void) => {
      timeline.after(this.random.int(1, 5), () => {
        if (isHeard) return;
        isHeard = true;
        timeline.awaits();
        cancel();
        take();
      });
    };
    const cancel = timeline.after(PATIENCE_MS, () => {
      isHeard = true;
      again();
    });
    timeline.awaits();
    this.request(server.control, server.caller(asked.project), asked).then(
      (answer) => answered(() => this.take(asked, answer)),
      (error) => answered(() => this.failed(asked, error, again)),
    );
  }

  private request(
    control: World["servers"][number]["control"],
    caller: Caller,
    { ask, key }: Asked,
  ): Promise<{ version: number }> {
    switch (ask.kind) {
      case "apply": {
        const { wanted, expectedRevision, token } = ask;
        const request = { config: configOf(wanted), file: "service.yml", env: { HF_TOKEN: token }, files: [] };
        return control.apply(caller, { ...request, ...(expectedRevision === null ? {} : { expectedRevision }) }, key);
      }
      case "stop":
      case "delete":
        return control[ask.kind](caller, ask.service, key);
      case "cordon":
        return control.cordonHost(caller, ask.host, { drain: ask.drain, reason: "" }, key);
      case "uncordon":
        return control.uncordonHost(caller, ask.host, key);
      case "remove":
        return control.removeHost(caller, ask.host, ask.force, key);
      case "fleet":
        return control.applyFleet(caller, { config: ask.config, file: "fleet.yml" }, key);
    }
  }

  /** Whether the host is there that is asked about. */
  private isThere({ project, ask }: Asked): boolean {
    return "host" in ask && this.world.ledger(project).state.tables.host.byId.has(ask.host);
  }

  private take(asked: Asked, answer: { version: number }): void {
    const text = JSON.stringify(answer);
    this.world.note("user", `${asked.key} answered: ${text}`);
    this.world.rules.acknowledged(asked, { version: answer.version, text });
    if (asked.answer === null) asked.done();
    asked.answer ??= { version: answer.version, text };
    if (!this.isOver && this.random.chance(REPEATED_SHARE)) {
      this.world.timeline.after(this.random.span(RETRY_MS), () => this.send(asked));
    }
  }

  private failed(asked: Asked, error: unknown, again: () => void): void {
    const isRefusal = error instanceof ControlError && !["unavailable", "too_many"].includes(error.code);
    this.world.note("user", `${asked.key} failed: ${String(error)}`);
    this.world.coverage.saw("request", error instanceof ControlError ? error.code : "failed");
    if (isRefusal && error.code === "not_found") this.world.rules.notFound(asked, this.isThere(asked));
    if (!isRefusal) return void this.world.timeline.after(RETRY_MS, again);
    asked.answer ??= { refused: error.message };
  }
}
