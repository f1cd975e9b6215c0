import * as z from "zod";
import { readEntityRef } from "../grammar/entity.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { EntityRef } from "../types.ts";
import { flag, optional, readFlag, switchOf } from "./fields.ts";
import { rateLimits } from "./rate-limit.ts";
import { entityRef } from "./references.ts";

/** How callers reach a service. */
export const endpointFields = {
  auth: optional(flag, true, { description: "Whether callers need a token", examples: [false] }),
  gateway: optional(z.union([switchOf(readGateway), entityRef]), null, {
    description: "The gateway that serves it: its name, true for the project's default one, false for none",
    examples: ["my-gateway", false],
    standing: {
      kind: "later",
      when: "gateways exist",
      until: "requests go through the server's own proxy",
      except: [false],
    },
  }),
  https: optional(switchOf(readHttps), null, {
    description: "Whether its gateway serves it over HTTPS; `auto` does as the gateway does",
    examples: ["auto"],
    standing: {
      kind: "later",
      when: "gateways exist",
      until: "the server's own address decides",
    },
  }),
  strip_prefix: optional(flag, true, {
    description: "Whether replicas see paths without the prefix that the server's own proxy gives the service",
    examples: [false],
  }),
  rate_limits: optional(rateLimits, [], {
    description: "How many requests a caller may send",
    examples: [[{ prefix: "/v1/", rps: 10 }]],
    standing: {
      kind: "later",
      when: "gateways exist",
      until: "nothing is limited",
    },
  }),
};

function readGateway(written: string | number | boolean): Result<boolean | EntityRef> {
  const on = readFlag(written);
  return on === null ? readEntityRef(String(written)) : good(on);
}

function readHttps(written: string | number | boolean): Result<boolean | "auto"> {
  if (written === "auto") return good("auto");
  const on = readFlag(written);
  return on === null ? bad(`${quote(written)} is neither true, false nor \`auto\`; write one of them.`) : good(on);
}
