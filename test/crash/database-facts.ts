import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createClient } from "@libsql/client";
import { sealedNamesOf, secretName } from "../../src/core/secrets/sealed-names.ts";
import type { Entity, JournalEvent } from "../../src/core/state.ts";
import { decodeEntity } from "../../src/store/codec.ts";
import { REVOKED } from "../../src/store/types.ts";

/** What a database says after a drill, without what differs from run to run: instants, versions and chance. */
export interface DatabaseFacts {
  entities: unknown[];
  /** What happened, as text, sorted: a restart may fold the same things into other commits. */
  events: string[];
  /** Keys of the requests that are remembered. */
  requests: string[];
  /** Kinds and names of the credentials, and whether they are used, and revoked. */
  credentials: string[];
  secrets: string[];
  /** The files that were uploaded, by their hash. */
  files: string[];
}

/** Reads the database of a server that has ended. @throws Error when its rows contradict each other */
export async function databaseFacts(dataDir: string): Promise<DatabaseFacts> {
  const client = createClient({ url: pathToFileURL(join(dataDir, "headrace.db")).href });
  try {
    const rows = async (sql: string) => (await client.execute(sql)).rows;
    const entities = (await rows("SELECT kind, id, schema, body FROM entities ORDER BY kind, id")).map((row) =>
      decodeEntity(row as never),
    );
    const commits = await rows("SELECT version, commit_id, inputs, events FROM commits ORDER BY version");
    const [project] = await rows("SELECT version FROM projects");
    const requests = (await rows("SELECT key FROM idempotency_keys ORDER BY key")).map((row) => String(row.key));
    const secrets = (await rows("SELECT name FROM secrets ORDER BY name")).map((row) => String(row.name));
    const whole = "SELECT sha256 FROM files JOIN file_bodies USING (project, sha256) WHERE length(body) = bytes";
    const files = (await rows(`${whole} ORDER BY sha256`)).map((row) => String(row.sha256));
    const credentials = await rows(
      "SELECT kind, name, subject, used_at, expires_at FROM credentials ORDER BY kind, name",
    );
    const events = commits.flatMap((row) => JSON.parse(String(row.events)) as JournalEvent[]);
    const consumed = commits.flatMap((row) => JSON.parse(String(row.inputs)) as string[]);

    const wrong = [
      ...notEqual(
        "versions of the journal",
        commits.map((row) => Number(row.version)),
        commits.map((_, i) => i + 1),
      ),
      ...notEqual("the project's version", Number(project?.version), commits.length),
      ...notEqual("ids of commits", new Set(commits.map((row) => row.commit_id)).size, commits.length),
      ...notEqual(
        "inputs consumed",
        consumed.toSorted(),
        requests.map((key) => `request/${key}`),
      ),
      ...notEqual("sealed values", secrets, sealedNames(entities)),
      ...brokenReferences(entities),
      ...missingFiles(entities, files),
      ...ofRemovedHosts(events, credentials),
    ];
    if (wrong.length > 0) throw new Error(`the database contradicts itself:\n${wrong.join("\n")}`);
    return {
      entities: entities.map(withoutTime),
      events: events.map((event) => JSON.stringify(event)).sort(),
      requests,
      credentials: credentials.map(
        ({ kind, name, used_at, expires_at }) =>
          `${kind} ${name}${used_at === null ? "" : " used"}${expires_at === REVOKED ? " revoked" : ""}`,
      ),
      secrets,
      files,
    };
  } finally {
    client.close();
  }
}

function notEqual(what: string, is: unknown, shall: unknown): string[] {
  const [one, other] = [JSON.stringify(is), JSON.stringify(shall)];
  return one === other ? [] : [`${what}: ${one} is not ${other}`];
}

function missingFiles(entities: Entity[], files: string[]): string[] {
  const named = entities.flatMap((entity) => (entity.kind === "revision" ? entity.files : []));
  return named.filter(({ sha256 }) => !files.includes(sha256)).map(({ path }) => `the file ${path} is not there whole`);
}

function ofRemovedHosts(events: JournalEvent[], credentials: Record<string, unknown>[]): string[] {
  const removed = events.flatMap(({ type, host }) => (type === "host.removed" ? [host] : []));
  const alive = credentials.filter(({ kind, subject }) => kind === "host" && removed.includes(String(subject)));
  return alive.map(({ subject }) => `${subject} was removed and its credential lives`);
}

function sealedNames(entities: Entity[]): string[] {
  const names = entities.flatMap((entity) => {
    if (entity.kind === "secret") return [secretName(entity.id)];
    return entity.kind === "revision" ? sealedNamesOf(entity) : [];
  });
  return [...new Set(names)].sort();
}

/** Rows that name others that are not there, and promises given twice. */
function brokenReferences(entities: Entity[]): string[] {
  const ids = new Set(entities.map(({ kind, id }) => `${kind} ${id}`));
  const promised = new Set<string>();
  return entities.flatMap((entity) => {
    const named: string[] = [];
    if (entity.kind === "job") named.push(`replica ${entity.replica}`, `host ${entity.host}`);
    if (entity.kind === "replica") named.push(`revision ${entity.service}@${entity.revision}`);
    if (entity.kind === "revision" || entity.kind === "replica") named.push(`service ${entity.service}`);
    if (entity.kind === "service") named.push(`revision ${entity.id}@${entity.revision}`);
    const missing = named.filter((name) => !ids.has(name)).map((name) => `${entity.kind} ${entity.id} names ${name}`);
    const twice = entity.kind !== "job" ? [] : entity.ports.map(({ port }) => `port ${port} of ${entity.host}`);
    const doubled = twice.filter((promise) => promised.has(promise)).map((promise) => `${promise} is promised twice`);
    for (const promise of twice) promised.add(promise);
    return [...missing, ...doubled];
  });
}

/** Instants and commit versions differ with every run; whether they are set does not. */
const OF_THE_RUN = new Set([
  "since",
  "createdAt",
  "joinedAt",
  "deadline",
  "firstReadyAt",
  "created",
  "unlistedIn",
  "silentSince",
  "frozenSince",
  "thawedAt",
  "setAt",
]);

function withoutTime(entity: Entity): unknown {
  return Object.fromEntries(
    Object.entries(entity).map(([name, value]) => [name, OF_THE_RUN.has(name) ? value !== null : value]),
  );
}
