import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import { readInteger } from "./number.ts";

const what = "a port is a whole number from 1 to 65535, for example `8000`";

export function readPort(written: string | number): Result<number> {
  return readInteger(written, what, 1, 65_535);
}

/** `8000`, or a mapping `local:container` as for other tools. Only the container's port means something to a service. */
export function readServicePort(written: string | number): Result<number> {
  if (typeof written === "number" || !written.includes(":")) return readPort(written);
  const [local, container, ...rest] = written.split(":");
  if (rest.length > 0)
    return bad(`${quote(written)} has more than one \`:\`; write the port alone, for example \`8000\`.`);
  const localPort = local === "*" ? good(0) : readPort(local!);
  return localPort.ok ? readPort(container!) : localPort;
}
