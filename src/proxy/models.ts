import { Refusal } from "./errors.ts";
import type { ServiceEntry } from "./types.ts";

/** What can be asked by a model's name, below `/proxy/models/<project>` with and without `/v1`. */
const OPERATIONS = ["chat/completions", "completions", "embeddings"];

export interface ModelPath {
  project: string;
  /** `models`, or one of the operations. */
  operation: string;
}

/** Reads `<base>/models/<project>/[v1/]<operation>`. @returns null: no such form. */
export function modelPath(pathname: string): ModelPath | null {
  const found = /^.*?\/models\/([^/]+)\/(?:v1\/)?(.+)$/.exec(pathname);
  if (!found) return null;
  const [, project, operation] = found;
  if (operation !== "models" && !OPERATIONS.includes(operation!)) return null;
  return { project: project!, operation: operation! };
}

/** Whether one of these services can answer for a model now. */
export function isServed(model: string, entries: ServiceEntry[]): boolean {
  return entries.some((entry) => entry.model?.name === model && standing(entry) === 2);
}

/** 2: it can answer now; 1: it may; 0: it cannot. */
function standing({ targets }: ServiceEntry): number {
  if (targets.length === 0) return 0;
  return targets.some(({ unready }) => !unready) ? 2 : 1;
}

/**
 * The service that answers for a model. Where several serve it, one that can answer now, the same each time.
 * @throws Refusal 404, in the words of OpenAI's API.
 */
export function entryFor(model: string, entries: ServiceEntry[]): ServiceEntry {
  const serving = entries
    .filter((entry) => entry.model?.name === model)
    .sort((a, b) => standing(b) - standing(a) || (a.service < b.service ? -1 : 1));
  if (serving[0]) return serving[0];
  throw new Refusal(
    404,
    "model_not_found",
    `The model \`${model}\` does not exist or you do not have access to it.`,
    "model",
  );
}

/** The answer to `GET models`. */
export function modelList(entries: ServiceEntry[]): object {
  const names = new Set(entries.flatMap((entry) => (entry.model ? [entry.model.name] : [])));
  const data = [...names].sort().map((id) => ({ id, object: "model", created: 0, owned_by: "headrace" }));
  return { object: "list", data };
}
