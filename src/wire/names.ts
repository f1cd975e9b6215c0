import * as z from "zod";

/** Names of projects, fleets and services. */
export const RESOURCE_NAME = /^[a-z][a-z0-9-]{1,40}$/;
export const resourceName = z
  .string()
  .regex(RESOURCE_NAME, "must be 2 to 41 lower-case letters, digits and `-`, beginning with a letter");

/** An id made by the control plane: replicas, jobs, hosts. Safe as a file name. */
export const ID = /^[a-z0-9][a-z0-9.-]{0,120}$/;
export const id = z.string().regex(ID);

/** The number of a commit of a project; 0 = none yet. */
export const commitVersion = z.int().min(0);

/** A span of time in milliseconds. Clocks of two machines are never compared: the wire carries spans, not instants. */
export const spanMs = z.int().min(0);

/** A TCP port. */
export const port = z.int().min(1).max(65_535);

export const role = z.enum(["router", "prefill", "decode", "worker"]);

/** Names a boot, a machine, an agent process or its version; made by agents, so it may be anything short. */
export const opaqueName = z.string().max(200);

/** Jobs in one desired state or report: twice what a host is given, since old ones are told of until they are gone. */
export const JOBS_MAX = 1_000;
