import type { CommitBatch } from "../../../src/store/types.ts";
import type { DesiredJob, DesiredState, PeerList } from "../../../src/wire/index.ts";
import type { Ledger } from "../ledger.ts";
import type { Machine } from "../machine.ts";
import type { Process } from "../process.ts";
import type { Server } from "../server.ts";
import type { Smg } from "../smg.ts";
import type { Asked } from "../users.ts";
import type { World } from "../world.ts";
import { acknowledgedOnce, consumedOnce } from "./acknowledged-once.ts";
import { fewOnTrial, saidOnce, toldOfWhatIsWanted } from "./agents-updated.ts";
import { atHomeTogether } from "./at-home-together.ts";
import { nothingLeftBehind, nothingNewWhenTakenOut, replacedFirst } from "./hosts-taken-out.ts";
import { listedWhenReady, registeredWhenReady } from "./listed-when-ready.ts";
import { peersInBounds } from "./peers-in-bounds.ts";
import { placedInReach } from "./placed-in-reach.ts";
import { neverBackwards, projectsApart } from "./projects-apart.ts";
import { promisedOnce, runsAlone } from "./promised-once.ts";
import { readBeforeDecided } from "./read-before-decided.ts";
import { rightReplica } from "./right-replica.ts";
import { rightRuntime } from "./right-runtime.ts";
import { sentToWhenBack } from "./sent-to-when-back.ts";
import { servingStays } from "./serving-stays.ts";
import { stoppedWhenLetGo } from "./stopped-when-let-go.ts";
import { wholeBlocks } from "./whole-blocks.ts";

/** A rule that does not hold. */
export interface Broken {
  rule: string;
  why: string;
}

/** The rules that are looked at whenever something happens that could break them. Each says why it is broken, or null. */
export class Rules {
  broken: Broken | null = null;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** Keeps the first rule that breaks; the run ends there. */
  check(rule: string, why: string | null): void {
    if (why === null || this.broken) return;
    this.broken = { rule, why };
    this.world.note("rule", `${rule}: ${why}`);
  }

  /** @param before what was so, and what `readyAndDrained` and `readyAndTakenOut` found, before the commit was taken in */
  committed(
    server: Server,
    ledger: Ledger,
    batch: CommitBatch,
    { drained, takenOut, agentBuild }: { drained: string[]; takenOut: string[]; agentBuild: string | null },
  ): void {
    this.check("1: listed only when ready", listedWhenReady(ledger, batch));
    this.check("3: a drain takes nothing that is needed", replacedFirst(ledger, drained));
    this.check("what serves stays", servingStays(ledger, takenOut));
    this.check("4: promised once", promisedOnce(ledger, batch));
    const isCut = (from: string, to: string) => server.knowsCut(ledger.project, from, to);
    this.check("placed within reach", placedInReach(ledger, batch, isCut));
    this.check("prefill and decode are at home together", atHomeTogether(ledger, batch));
    this.check("a host that is taken out gets nothing new", nothingNewWhenTakenOut(ledger, batch));
    this.check("agents are told what is wanted", toldOfWhatIsWanted(ledger, batch));
    this.check("no build is taken back", saidOnce(ledger, batch, agentBuild, server.hasSaidBuild));
    const alive = () => this.world.store.credentialsNow(ledger.project);
    this.check("a removed host holds nothing", nothingLeftBehind(ledger, batch, alive));
    this.check("containers where there are any", rightRuntime(ledger, batch));
    this.check("whole blocks", wholeBlocks(ledger, batch));
    this.check("6: nothing is done twice", consumedOnce(ledger, batch));
    this.check("what was sent in time is read first", readBeforeDecided(server, ledger, batch));
  }

  /** An agent was told which hosts to try. */
  tries(machine: Machine, list: PeerList): void {
    this.check("peers within bounds", peersInBounds(this.world.ledger(machine.spec.project), machine, list));
  }

  /** A machine's next agent is one that has not shown itself. */
  onTrial(machine: Machine): void {
    this.check("few agents on trial at a time", fewOnTrial(this.world, machine));
  }

  starts(machine: Machine, job: DesiredJob): void {
    this.check("4: promised once", runsAlone(machine, job));
  }

  takes(machine: Machine, desired: DesiredState): void {
    this.check("7: no project reads another", projectsApart(machine, desired));
    this.check("an agent never goes back", neverBackwards(machine, desired));
  }

  signalled(process: Process, signal: "SIGTERM" | "SIGKILL"): void {
    if (signal === "SIGTERM" && this.world.isMember(process.machine))
      this.check("2: stopped when let go", stoppedWhenLetGo(this.world, process));
  }

  routerChanged(smg: Smg): void {
    if (!this.world.isMember(smg.process.machine)) return;
    this.check("1: listed only when ready", registeredWhenReady(this.world, smg));
  }

  requested(process: Process, replica: string): void {
    this.check("9: no other replica than the one meant", rightReplica(process, replica));
    if (process.smg) this.check("a worker that is back is sent to", sentToWhenBack(this.world, process.smg));
  }

  acknowledged(asked: Asked, answer: { version: number; text: string }): void {
    this.check("6: nothing acknowledged is lost", acknowledgedOnce(this.world.ledger(asked.project), asked, answer));
  }

  /** @param isThere whether it is there after all */
  notFound({ key, wasThere }: Asked, isThere: boolean): void {
    const why = wasThere && isThere ? `${key} is about a host that was there all the while` : null;
    this.check("6: nothing is refused that is allowed", why);
  }

  /** A host was told that it is one. */
  joined(ledger: Ledger, host: string): void {
    const why = ledger.everJoined.has(host) ? null : `${host} was told that it has joined and is in no commit`;
    this.check("6: nothing acknowledged is lost", why);
  }

  /** A host was told that it has left. */
  left(ledger: Ledger, host: string): void {
    const isThere = ledger.state.tables.host.byId.has(host);
    this.check(
      "6: nothing acknowledged is lost",
      isThere ? `${host} was told that it has left and is still there` : null,
    );
  }

  /** A server that says that a decision could not be made is a bug, unless its database failed it. */
  logged(message: string, fields: Record<string, unknown>): void {
    const error = String(fields.error ?? "");
    if (/StoreError|UnclearOutcome|ControlError/.test(error)) return;
    this.check("no decision fails", `${message}: ${error}`);
  }
}
