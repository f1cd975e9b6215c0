import * as z from "zod";
import { readPort, readServicePort } from "../grammar/port.ts";
import { mapping, optional, required, scalarOf } from "./fields.ts";

/** The port that replicas listen on; as for other tools also with a local one, which means nothing to a service. */
export const port = z.union([
  scalarOf(readServicePort),
  mapping("port", {
    local_port: optional(scalarOf(readPort), null, {
      description: "Where a program of one's own machine would listen, as for tasks",
      examples: [8000],
      standing: {
        kind: "unused",
        why: "`local_port` means nothing to a service, which is reached by its address; remove it",
      },
    }),
    container_port: required(scalarOf(readPort), {
      description: "The port that the replicas listen on",
      examples: [8000],
    }),
  }).transform(({ container_port }) => container_port),
]);
