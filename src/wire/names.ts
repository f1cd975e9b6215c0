import * as z from "zod";

/** Names of projects, fleets and services. */
export const resourceName = z.string().regex(/^[a-z][a-z0-9-]{1,40}$/);

/** An id made by the control plane: replicas, jobs, hosts. Safe as a file name. */
export const id = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,120}$/);

/** The number of a commit of a project; 0 = none yet. */
export const commitVersion = z.int().min(0);

/** A span of time in milliseconds. Clocks of two machines are never compared: the wire carries spans, not instants. */
export const spanMs = z.int().min(0);

export const role = z.enum(["router", "prefill", "decode", "worker"]);
