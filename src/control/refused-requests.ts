import { REMOVED_WHILE_JOINING } from "../core/hosts/hosts.ts";
import type { Credential, Store } from "../store/types.ts";
import type { Request } from "./controller.ts";
import { hasEnded } from "./tokens/callers.ts";
import { ControlError } from "./types.ts";

/**
 * Which of the requests of a commit that the database refused it was refused for, as far as its credentials tell, and why.
 * @param at the commit's own moment
 */
export async function refusedRequests(
  store: Pick<Store, "credentials">,
  project: string,
  requests: Request[],
  at: number,
): Promise<Map<Request, ControlError>> {
  const refused = new Map<Request, ControlError>();
  if (!requests.some(({ reliesOn, revokedToken }) => reliesOn ?? revokedToken)) return refused;
  const credentials = await store.credentials(project);
  const hosts = new Set(credentials.flatMap(({ kind, hash }) => (kind === "host" ? [hash] : [])));
  const admins = usableAdmins([...credentials, ...requests.flatMap(({ credential }) => credential ?? [])], at);
  for (const request of requests) {
    const { reliesOn, revokedToken } = request;
    if (reliesOn !== undefined && !hosts.has(reliesOn)) {
      refused.set(request, new ControlError("conflict", REMOVED_WHILE_JOINING));
    }
    const last = revokedToken === undefined ? undefined : admins.get(revokedToken);
    if (!last) continue;
    // Of several that would end all of them together the last one is refused.
    if (admins.size === 1) refused.set(request, lastAdmin(last));
    else admins.delete(last.id);
  }
  return refused;
}

function usableAdmins(credentials: Credential[], at: number): Map<string, Credential> {
  const admins = credentials.filter((each) => each.kind === "admin" && !hasEnded(each, at));
  return new Map(admins.map((each) => [each.id, each]));
}

function lastAdmin({ name, project }: Credential): ControlError {
  return new ControlError(
    "conflict",
    `${name} is the last admin token of project ${project} that can be used; make another first ` +
      "(headrace token create), since without one only the server's own machine could (headrace token create --local)",
  );
}
