import { agentMutants } from "./agent.ts";
import { controlMutants } from "./control.ts";
import { coreMutants } from "./core.ts";
import type { Mutant } from "./types.ts";

export const MUTANTS: readonly Mutant[] = [...coreMutants, ...controlMutants, ...agentMutants];
