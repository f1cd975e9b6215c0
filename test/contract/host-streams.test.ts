import { RUNTIMES } from "../support/control-planes.ts";
import { hostStreamsContract } from "./host-streams.ts";

for (const runtime of RUNTIMES) hostStreamsContract(runtime);
