import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ROOT } from "../../scripts/bootstrap.js";
import type { Client } from "../../src/api/client.ts";
import { chat } from "../../test/support/chat.ts";
import type { LocalCluster } from "../../test/support/local-cluster.ts";
import { until } from "../../test/support/processes.ts";
import { Traffic } from "./traffic.ts";

const PAIRED = "prefill-decode";
const PLAIN = "plain";
const MODEL = "Qwen/Qwen3-8B";

/** A plain request and a stream a second to each service: some percent of a core, all in all. */
const TRAFFIC_EVERY_MS = 1_000;
/** Between two changes, so that their traces in memory and files can settle. */
const REST_MS = 4_000;
/** Changes of a full journal: what a server that was in use for long starts from. */
const JOURNAL_FILL = 10_600;

const EXAMPLE = readFileSync(join(ROOT, "examples/prefill-decode.yml"), "utf8");
const paired = (decodes: number) => EXAMPLE.replace(/(name: decode\n\s+count: )\d+/, `$1${decodes}`);
const plain = (workers: number) => `
type: service
name: ${PLAIN}
model: another-model
port: 8000
commands: [python3 -m sglang.launch_server --model-path another-model --host $HEADRACE_ADDRESS --port $HEADRACE_PORT]
replicas: ${workers}
probes: [{type: http, url: /health}]
resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}
`;
const homeless = (count: number) => `
type: service
name: homeless
port: 8000
commands: [sleep 1]
replicas: ${count}
resources: {gpu: H200:8}
`;

/** The changes that a soak makes, again and again. */
export class Churn {
  readonly traffic: Record<"paired" | "plain", Traffic>;
  rounds = 0;
  private readonly cluster: LocalCluster;
  private readonly client: Client;

  constructor(cluster: LocalCluster) {
    this.cluster = cluster;
    this.client = cluster.client();
    this.traffic = {
      paired: new Traffic(cluster.serviceUrl(PAIRED), cluster.token, MODEL),
      plain: new Traffic(cluster.serviceUrl(PLAIN), cluster.token, "another-model"),
    };
  }

  /** Fills the journal to its bound, and starts the service that stays. */
  async prepare(): Promise<void> {
    for (let i = 0; i < JOURNAL_FILL; i += 1) await this.apply(homeless((i % 2) + 1));
    await this.stopAndDelete("homeless");
    await this.apply(paired(2));
    await this.cluster.untilReady(PAIRED);
    this.traffic.paired.start(TRAFFIC_EVERY_MS);
  }

  /**
   * One round of everything; what does not come about in time is noted, and the next change made. Stops early, between
   * two changes, once `signal` aborts.
   */
  async round(signal: AbortSignal): Promise<void> {
    const changes: [string, () => Promise<void>][] = [
      ["a decode is added", () => this.scale(PAIRED, paired(3), 5)],
      ["a decode is killed", () => this.kill("decode")],
      ["a decode is taken away", () => this.scale(PAIRED, paired(2), 4)],
      ["the plain service is applied", () => this.startPlain()],
      ["a plain worker is added", () => this.scale(PLAIN, plain(2), 2)],
      ["the router is killed", () => this.kill("router")],
      ["a plain worker is taken away", () => this.scale(PLAIN, plain(1), 1)],
      ["the prefill is killed", () => this.kill("prefill")],
      ["the plain service is stopped and deleted", () => this.endPlain()],
    ];
    for (const [name, change] of changes) {
      if (signal.aborted) return;
      for (const traffic of Object.values(this.traffic)) traffic.during = name;
      await change().catch((error: Error) => this.traffic.paired.note(`${name}: ${error.message}`));
      for (const traffic of Object.values(this.traffic)) traffic.during = `after ${name}`;
      await delay(REST_MS, undefined, { signal }).catch(() => {});
    }
    this.rounds += 1;
  }

  end(): void {
    for (const traffic of Object.values(this.traffic)) traffic.stop();
  }

  private async startPlain(): Promise<void> {
    await this.scale(PLAIN, plain(1), 1);
    this.traffic.plain.start(TRAFFIC_EVERY_MS);
  }

  private async endPlain(): Promise<void> {
    this.traffic.plain.stop();
    await this.stopAndDelete(PLAIN);
  }

  private async scale(service: string, config: string, replicas: number): Promise<void> {
    await this.apply(config);
    await this.settled(service, replicas);
  }

  /** Kills a replica of the paired service as a crash would, and waits until it is back and the service answers. */
  private async kill(group: string): Promise<void> {
    const before = (await this.cluster.view(PAIRED)).replicas.find((replica) => replica.group === group);
    if (!before) throw new Error(`there is no ${group}`);
    const over = this.traffic.paired.excuse();
    try {
      if (this.cluster.killJob(before.id) === 0) throw new Error(`${before.id} has no process`);
      await until(
        async () => {
          const now = (await this.cluster.view(PAIRED)).replicas.find(({ id }) => id === before.id);
          // Replaced, or started in place.
          return !now || (now.observed?.attempt ?? 0) > (before.observed?.attempt ?? 0);
        },
        () => `${before.id} is not started again`,
      );
      const { groups } = await this.cluster.view(PAIRED);
      await this.settled(
        PAIRED,
        groups.reduce((sum, { wanted }) => sum + wanted, 0),
      );
      await this.answered();
    } finally {
      over();
    }
  }

  /**
   * Waits until the paired service answers: that the only worker of a role is back is found out by the router itself, by
   * its next look at it and the end of its circuit breaker's time.
   */
  private async answered(): Promise<void> {
    const ask = () => chat(this.cluster.serviceUrl(PAIRED), this.cluster.token, { model: MODEL, max_tokens: 1 });
    let status = 0;
    await until(
      async () => {
        status = (await ask()).status;
        return status === 200;
      },
      () => `${PAIRED} is ready and answers ${status}`,
      ANSWERED_MS_MAX,
    );
  }

  private async stopAndDelete(service: string): Promise<void> {
    await this.client.stop(service);
    await until(
      async () => (await this.cluster.view(service)).status === "stopped",
      () => `${service} does not stop`,
      SETTLE_MS_MAX,
    );
    await this.client.delete(service);
  }

  private async settled(service: string, replicas: number): Promise<void> {
    let view = await this.cluster.view(service);
    const isSettled = async () => {
      view = await this.cluster.view(service);
      return view.ready && view.replicas.length === replicas && view.replicas.every(({ status }) => status === "ready");
    };
    const describe = () =>
      `${service} does not come to ${replicas} ready replicas: ${view.message}; ${JSON.stringify(view.replicas)}`;
    await until(isSettled, describe, SETTLE_MS_MAX);
  }

  private async apply(config: string): Promise<void> {
    await this.client.apply({ config, file: "soak.yml", env: {} });
  }
}

/** Five times what docs/recovery.md says, since the machine is busy. */
const ANSWERED_MS_MAX = 15_000;
/** A busy machine takes seconds for what takes one alone. */
const SETTLE_MS_MAX = 180_000;
