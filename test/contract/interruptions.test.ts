import { RUNTIMES } from "../support/control-planes.ts";
import { interruptionsContract } from "./interruptions.ts";

for (const runtime of RUNTIMES) interruptionsContract(runtime);
