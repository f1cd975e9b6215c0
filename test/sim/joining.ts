import { createHash } from "node:crypto";
import { ControlError } from "../../src/control/types.ts";
import type { Credential } from "../../src/store/types.ts";
import { inventoryAtFirst } from "./agent.ts";
import type { MachineSpec } from "./machine.ts";
import type { World } from "./world.ts";

/** An agent that got no answer to its join asks again after this, with the same credential. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 2_000;

const hashOf = (token: string) => createHash("sha256").update(token).digest("hex");

/** The credential of a host that was there before the life began. */
export function firstCredential({ project, host, credential }: MachineSpec): Credential {
  return rowOf({ project, id: host, kind: "host", hash: hashOf(credential), subject: host });
}

/**
 * A machine on which somebody pasted the line that lets it join: it asks until it is answered, and is a host then. Its
 * token was made by the owner of the server, on the server's own machine.
 * @param joined called with what it is from then on
 */
export async function join(
  world: World,
  about: Omit<MachineSpec, "host" | "credential">,
  joined: (spec: MachineSpec) => void,
): Promise<void> {
  const serial = world.nextSerial();
  const token = `hrj_${serial}`;
  const credential = `hrh_${serial}`;
  const { project, fleet } = about;
  const id = `join-${serial}`;
  await world.store.putCredential(rowOf({ project, id, kind: "join", hash: hashOf(token), subject: fleet }));
  world.note(about.machineId, "joins");
  const request = {
    name: about.machineId,
    machine: about.machineId,
    agentVersion: "0",
    inventory: inventoryAtFirst(about),
    credentialHash: hashOf(credential),
  };
  const ask = () => {
    const { timeline, servers, random } = world;
    const again = () => timeline.after(RETRY_MS, ask);
    if (servers.length === 0) return void again();
    const { control } = random.pick(servers);
    let isOver = false;
    const over = (next: () => void) => {
      timeline.after(random.int(1, 10), () => {
        if (isOver) return;
        isOver = true;
        cancel();
        timeline.awaits();
        next();
      });
    };
    const cancel = timeline.after(PATIENCE_MS, () => {
      isOver = true;
      ask();
    });
    timeline.awaits();
    const answered = control.authenticate(token).then((caller) => {
      if (!caller) throw new Error("a join token that was not used was not known");
      return control.join(caller, request);
    });
    answered.then(
      ({ host }) =>
        over(() => {
          world.rules.joined(world.ledger(project), host);
          joined({ ...about, host, credential });
        }),
      (error) =>
        over(() => {
          world.coverage.saw("join", error instanceof ControlError ? error.code : "failed");
          world.note(about.machineId, `is not let in: ${String(error)}`);
          again();
        }),
    );
  };
  ask();
}

function rowOf(row: Pick<Credential, "project" | "id" | "kind" | "hash" | "subject">): Credential {
  return { ...row, name: row.id, createdAt: 0, expiresAt: null, usedAt: null, madeBy: null };
}
