import { type Reference, templateParts } from "../../spec/grammar/interpolation.ts";
import type { DesiredJob, HttpProbe } from "../../wire/index.ts";

/**
 * A value that decisions know by its name alone: one that is sealed, or one that is kept nowhere and derived from the key
 * that others are sealed with.
 */
export type SealedValue = { sealed: string } | { derived: string };

/** A text that is complete but for such values: whoever may open them puts them in. */
export type SealedText = string | readonly (string | SealedValue)[];

/** A job as a host shall run it, with the values of its environment and its probes still sealed. */
export type SealedJob = Omit<DesiredJob, "launch" | "probes"> & {
  launch: Omit<DesiredJob["launch"], "env" | "container"> & {
    env: Record<string, SealedText>;
    container: SealedContainer | null;
  };
  probes: SealedProbe[];
};

export type SealedContainer = Omit<NonNullable<DesiredJob["launch"]["container"]>, "registryAuth"> & {
  registryAuth: { username: SealedText; password: SealedText } | null;
};

export type SealedProbe = Omit<HttpProbe, "path" | "headers" | "body"> & {
  path: SealedText;
  headers: { name: string; value: SealedText }[];
  body: SealedText | null;
};

/** A template with its references filled in, by what may be sealed itself. */
export function sealedText(template: string, fill: (reference: Reference) => SealedText): SealedText {
  // Nearly every text has none.
  if (!template.includes("$")) return template;
  const parts = templateParts(template).flatMap((part) => {
    const filled = typeof part === "string" ? part : fill(part);
    return typeof filled === "string" ? [filled] : filled;
  });
  return parts.every((part) => typeof part === "string") ? parts.join("") : parts;
}

/** The sealed values of a job. */
export function sealedValuesIn(job: SealedJob): SealedValue[] {
  const values: SealedValue[] = [];
  opened(job, (value) => {
    values.push(value);
    return "";
  });
  return values;
}

/** The job with its sealed values put in. @param open gives the plain value */
export function opened(job: SealedJob, open: (value: SealedValue) => string): DesiredJob {
  const text = (sealed: SealedText) =>
    typeof sealed === "string" ? sealed : sealed.map((part) => (typeof part === "string" ? part : open(part))).join("");
  const env = Object.fromEntries(Object.entries(job.launch.env).map(([name, value]) => [name, text(value)]));
  const probes = job.probes.map((probe) => ({
    ...probe,
    path: text(probe.path),
    headers: probe.headers.map(({ name, value }) => ({ name, value: text(value) })),
    body: probe.body === null ? null : text(probe.body),
  }));
  const login = job.launch.container?.registryAuth;
  const registryAuth = login ? { username: text(login.username), password: text(login.password) } : null;
  const container = job.launch.container && { ...job.launch.container, registryAuth };
  return { ...job, launch: { ...job.launch, env, container }, probes };
}
