import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import { readTemplate, writeReference } from "./interpolation.ts";

/** The longest name that the domain name system knows. */
const MAX_DOMAIN_CHARS = 253;

/**
 * A domain below which services get names of their own; a leading `*.` says no more. `${{ run.project_name }}` may stand
 * in it and is kept as written.
 */
export function readDomain(written: string): Result<string> {
  const domain = written.replace(/^\*\./, "");
  const template = readTemplate(domain);
  if (!template.ok) return template;
  const wrong = template.value.find((part) => typeof part !== "string" && !isProjectName(part));
  if (wrong !== undefined && typeof wrong !== "string") {
    return bad(
      `${quote(writeReference(wrong))} has no value here; only \`\${{ run.project_name }}\` can be written into a domain.`,
    );
  }
  const example = template.value.map((part) => (typeof part === "string" ? part : "project")).join("");
  const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  if (example.length <= MAX_DOMAIN_CHARS && new RegExp(`^(${label}\\.)+${label}$`, "i").test(example))
    return good(domain);
  return bad(`${quote(written)} is no domain; write one such as \`models.example.com\`.`);
}

function isProjectName(reference: object): boolean {
  return (
    "namespace" in reference && "key" in reference && reference.namespace === "run" && reference.key === "project_name"
  );
}
