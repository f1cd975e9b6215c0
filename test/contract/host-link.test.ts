import { RUNTIMES } from "../support/control-planes.ts";
import { hostLinkContract } from "./host-link.ts";

for (const runtime of RUNTIMES) hostLinkContract(runtime);
