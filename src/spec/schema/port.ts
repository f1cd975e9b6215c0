import * as z from "zod";
import { readPort, readServicePort } from "../grammar/port.ts";
import { mapping, optional, required, scalarOf } from "./fields.ts";

/** The port that replicas listen on; as for other tools also with a local one, which means nothing to a service. */
export const port = z.union([
  scalarOf(readServicePort),
  mapping("port", {
    local_port: optional(scalarOf(readPort), null, { description: "Means nothing to a service", examples: [8000] }),
    container_port: required(scalarOf(readPort), {
      description: "The port that the replicas listen on",
      examples: [8000],
    }),
  }).transform(({ container_port }) => container_port),
]);
