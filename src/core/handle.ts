import { agentGivenOut } from "./hosts/agent-updates.ts";
import { applyFleet, deleteFleet } from "./hosts/fleets.ts";
import { hostJoined, hostLeft, hostPresent, hostRemoved, hostReported } from "./hosts/hosts.ts";
import { startSilence } from "./hosts/silence.ts";
import { cordonHost, uncordonHost } from "./hosts/take-out.ts";
import type { Answer, Input } from "./input.ts";
import { deleteSecret, setSecret } from "./secrets/secrets.ts";
import { applyService, deleteService, stopService } from "./services/change.ts";
import type { StepContext } from "./step.ts";
import { tellOfToken } from "./tokens.ts";

/** Takes one input into the draft: what it says itself. What follows from it is for `reconcile`. */
export function handleInput(context: StepContext, input: Input): Answer {
  switch (input.kind) {
    case "apply":
      return applyService(context, input);
    case "stop":
      return stopService(context, input.service);
    case "delete":
      return deleteService(context, input.service);
    case "secret_set":
      return setSecret(context, input);
    case "secret_deleted":
      return deleteSecret(context, input.name);
    case "token_made":
    case "token_revoked":
      return tellOfToken(context, input);
    case "host_joined":
      return hostJoined(context, input);
    case "host_present":
      return hostPresent(context, input.host);
    case "host_reported":
      return hostReported(context, input.host);
    case "host_silent":
      startSilence(context, input.host, input.since);
      return { kind: "done" };
    case "host_cordoned":
      return cordonHost(context, input);
    case "host_uncordoned":
      return uncordonHost(context, input.host);
    case "fleet_applied":
      return applyFleet(context, input);
    case "fleet_deleted":
      return deleteFleet(context, input.fleet);
    case "host_removed":
      return hostRemoved(context, input.host, input.force);
    case "host_left":
      return hostLeft(context, input.host);
    case "agent_given_out":
      return agentGivenOut(context, input.build);
    case "time":
      return { kind: "done" };
  }
}
