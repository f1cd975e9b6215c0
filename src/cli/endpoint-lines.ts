import type { ServiceView } from "../control/views/views.ts";
import type { ServiceSpec } from "../spec/types.ts";

/**
 * Where a ready service answers, and a request to try that can be pasted into a shell.
 * @param program how this program is called in that shell: `headrace`, `npx headrace`
 */
export function endpointLines(
  server: string,
  service: Pick<ServiceView, "url">,
  spec: Pick<ServiceSpec, "model" | "auth" | "groups">,
  program: string,
): string[] {
  const base = `${server}${service.url}`.replace(/\/+$/, "");
  const auth = spec.auth ? ` -H "Authorization: Bearer $(${program} token show)"` : "";
  if (spec.model === null) {
    // What has no model need not be an engine. Behind a router nothing but an engine's paths pass.
    const path = spec.groups.some((group) => group.router !== null) ? "/v1/models" : "/";
    return [`Endpoint: ${base}`, "Try it:", `  curl ${base}${path}${auth}`];
  }
  const prefix = spec.model.prefix.replace(/\/+$/, "");
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
