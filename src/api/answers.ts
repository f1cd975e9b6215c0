import * as z from "zod";
import { commitView, hostView, secretView, serviceView, tokenView } from "../control/views/views.ts";
import { fleetView } from "../control/views/views-fleet.ts";

/** Answers that are the API's own; the others are control's views as they are. */

/** Whose token it is. */
export const meView = z.object({ project: z.string(), kind: z.enum(["admin", "member"]), name: z.string() });

export const serviceList = z.object({ services: z.array(serviceView) });
export const fleetList = z.object({ fleets: z.array(fleetView) });
export const hostList = z.object({ hosts: z.array(hostView) });
export const secretList = z.object({ secrets: z.array(secretView) });
export const tokenList = z.object({ tokens: z.array(tokenView) });
/** A page of the journal, oldest first. `oldest` is the first version still kept. */
export const journalPage = z.object({ oldest: z.int(), commits: z.array(commitView) });

export type MeView = z.infer<typeof meView>;
export type JournalPage = z.infer<typeof journalPage>;
