import type { Finding } from "../finding.ts";
import { readFlag } from "../schema/fields.ts";
import { atValue, isSet, type Raw } from "./raw.ts";

/** Whether callers come by HTTPS is a gateway's to say; the server's own proxy has one address for all services. */
export function checkEndpoint(service: Raw): Finding[] {
  if (!isSet(service, "https") || readFlag(service.https) !== false) return [];
  if (isSet(service, "gateway") && readFlag(service.gateway) !== false) return [];
  return [
    atValue(
      ["https"],
      "`https: false` needs a gateway that serves this service by HTTP; name it as `gateway`, or remove `https` (without a gateway the server's own address decides).",
    ),
  ];
}
