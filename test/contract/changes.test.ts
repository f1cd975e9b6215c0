import { RUNTIMES } from "../support/control-planes.ts";
import { changesContract } from "./changes.ts";

for (const runtime of RUNTIMES) changesContract(runtime);
