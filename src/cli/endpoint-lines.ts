import type { ServiceView } from "../control/views.ts";
import type { ServiceSpec } from "../spec/types.ts";

/** Where a ready service answers, and a request to try that can be pasted into a shell. */
export function endpointLines(server: string, service: ServiceView, spec: ServiceSpec): string[] {
  const base = `${server}${service.url}`.replace(/\/+$/, "");
  const prefix = spec.model?.prefix.replace(/\/+$/, "") ?? "/v1";
  const auth = spec.auth ? ` -H "Authorization: Bearer $(headrace token show)"` : "";
  if (spec.model === null) return [`Endpoint: ${base}`, "Try it:", `  curl ${base}${prefix}/models${auth}`];
  const body = { model: spec.model.name, stream: true, messages: [{ role: "user", content: "Hello!" }] };
  return [
    `Endpoint: ${base}${prefix} (model ${spec.model.name})`,
    "Try it:",
    `  curl -N ${base}${prefix}/chat/completions${auth} \\`,
    `    -H "Content-Type: application/json" \\`,
    `    -d ${shellQuote(JSON.stringify(body))}`,
  ];
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
