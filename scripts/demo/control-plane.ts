/** The demo's control plane, on either runtime. */
export interface DemoPlane {
  url: string;
  /** The first admin's. */
  token: string;
  close(): Promise<void>;
}

/** Something is in the way; the message says what. */
export class DemoError extends Error {}

/** A new database has no token, so that the first start makes one. */
export function firstToken(first: { adminToken: string } | null): string {
  if (!first) throw new DemoError("the new database has an admin token already; that cannot be");
  return first.adminToken;
}
