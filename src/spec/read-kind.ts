import type * as z from "zod";
import { explainIssues } from "./explain.ts";
import { fillService } from "./fill.ts";
import { fillFleet } from "./fill-fleet.ts";
import { fillGateway } from "./fill-gateway.ts";
import { fillVolume } from "./fill-volume.ts";
import type { Finding } from "./finding.ts";
import { whyNotApplied } from "./not-applied.ts";
import { noteFields } from "./notes.ts";
import { quote } from "./quote.ts";
import { noteOtherCounts } from "./rules/counts.ts";
import { checkFleet } from "./rules/fleet.ts";
import { checkGateway } from "./rules/gateway.ts";
import { checkService } from "./rules/index.ts";
import type { Raw } from "./rules/raw.ts";
import { noteArguments } from "./rules/references.ts";
import { checkVolume } from "./rules/volume.ts";
import { fleet } from "./schema/fleet.ts";
import { gateway } from "./schema/gateway.ts";
import { service } from "./schema/service.ts";
import { volumeFile } from "./schema/volume-file.ts";
import { nearest } from "./suggest.ts";
import type { Described, ParseOptions } from "./types.ts";
import type { Node } from "./yaml/node.ts";

/** What a file can describe, by its `type`. */
type ConfigKind = Described["type"];

export type ReadKind = { ok: true; described: Described; notes: Finding[] } | { ok: false; findings: Finding[] };

/** A configuration as it is written, and with what its profile adds. */
interface Document {
  written: Raw;
  filled: Raw;
  root: Node;
}

/** Reads a document of a known type: its fields, then what must hold between those that are written. */
export function readKind(kind: ConfigKind, document: Document, options: ParseOptions): ReadKind {
  const { written } = document;
  switch (kind) {
    case "service": {
      const read = readFields(service, document, checkService(written, options));
      if (!read.ok) return read;
      const spec = fillService(read.written, options);
      const notes = [
        ...noteFields(document.root, service),
        ...noteOtherCounts(written),
        ...noteArguments(written, options.args ?? []),
      ];
      return { ok: true, described: { type: kind, spec }, notes };
    }
    case "fleet": {
      const read = readFields(fleet, document, checkFleet(written));
      if (!read.ok) return read;
      const spec = fillFleet(read.written);
      if (spec.hosts.kind === "cloud") return notApplied({ type: kind, spec });
      return { ok: true, described: { type: kind, spec }, notes: noteFields(document.root, fleet) };
    }
    case "gateway": {
      const read = readFields(gateway, document, checkGateway(written));
      return read.ok ? notApplied({ type: kind, spec: fillGateway(read.written) }) : read;
    }
    case "volume": {
      const read = readFields(volumeFile, document, checkVolume(written));
      return read.ok ? notApplied({ type: kind, spec: fillVolume(read.written) }) : read;
    }
  }
}

function readFields<S extends z.ZodType>(
  schema: S,
  { filled, root }: Document,
  found: readonly Finding[],
): { ok: true; written: z.output<S> } | { ok: false; findings: Finding[] } {
  const read = schema.safeParse(filled);
  if (!read.success) return { ok: false, findings: [...found, ...explainIssues(read.error.issues, root, schema)] };
  return found.length === 0 ? { ok: true, written: read.data } : { ok: false, findings: [...found] };
}

/** Of what is not acted on as a whole one note says so, instead of one for each field. */
function notApplied(described: Described): ReadKind {
  const notes: Finding[] = [{ path: ["type"], at: "value", message: whyNotApplied(described) ?? "" }];
  if (described.type === "gateway" && described.spec.router !== null) {
    const message = "Until gateways exist, write `router` into each service that would be behind this one.";
    notes.push({ path: ["router"], at: "key", message });
  }
  return { ok: true, described, notes };
}

/** Types that files have and Headrace does not: why, and what to write instead. */
const foreign: Record<string, string> = {
  task: "A task runs until it is done, and Headrace runs services, which stay; give the task to a batch system, or write what shall stay up as `type: service`.",
  "dev-environment":
    "A development environment is a machine to work on, and Headrace runs services; use the host itself, or write what shall stay up as `type: service`.",
  preset: "Headrace keeps no presets; write the fields into the `type: service` that they are for.",
};

const kinds: readonly string[] = ["service", "fleet", "gateway", "volume"] satisfies ConfigKind[];

export function isKind(type: string): type is ConfigKind {
  return kinds.includes(type);
}

/** Why a type is not read, and what to write instead. */
export function explainType(type: string): string {
  if (Object.hasOwn(foreign, type)) return foreign[type]!;
  const meant = nearest(type, [...kinds, ...Object.keys(foreign)]);
  const advice = meant === null ? "write `type: service`." : `did you mean \`${meant}\`?`;
  return `${quote(type)} is no type of configuration; ${advice}`;
}
