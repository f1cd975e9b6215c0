import { writeFleet } from "./print/fleet.ts";
import { writeGateway } from "./print/gateway.ts";
import type { Fields } from "./print/group.ts";
import { writeService } from "./print/service.ts";
import { writeVolumeFile } from "./print/volume.ts";
import { writeYaml } from "./print/yaml.ts";
import type { Described } from "./types.ts";

/** A configuration as YAML text that `parseConfig` reads as the same again. What is so anyway is left out. */
export function printConfig(spec: Described["spec"]): string {
  return writeYaml(writeSpec(spec));
}

function writeSpec(spec: Described["spec"]): Fields {
  switch (spec.type) {
    case "service":
      return writeService(spec);
    case "fleet":
      return writeFleet(spec);
    case "gateway":
      return writeGateway(spec);
    case "volume":
      return writeVolumeFile(spec);
  }
}
