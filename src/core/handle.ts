import { applyService, deleteService, stopService } from "./change.ts";
import { hostJoined, hostReported, hostSilent } from "./hosts.ts";
import type { Answer, Input } from "./input.ts";
import type { StepContext } from "./step.ts";

/** Takes one input into the draft: what it says itself. What follows from it is for `reconcile`. */
export function handleInput(context: StepContext, input: Input): Answer {
  switch (input.kind) {
    case "apply":
      return applyService(context, input);
    case "stop":
      return stopService(context, input.service);
    case "delete":
      return deleteService(context, input.service);
    case "host_joined":
      return hostJoined(context, input);
    case "host_present":
      context.roomFreed = true;
      return { kind: "done" };
    case "host_reported":
      return hostReported(context, input.host);
    case "host_silent":
      return hostSilent(context, input.host);
    case "time":
      return { kind: "done" };
  }
}
