import type { Input } from "../../src/core/input.ts";
import type { ServiceSpec } from "../../src/spec/types.ts";

type Apply = Extract<Input, { kind: "apply" }>;

/** That a spec is applied, with nothing beside it but what is said. */
export function applyOf(spec: ServiceSpec, over: Partial<Apply> = {}): Apply {
  return {
    kind: "apply",
    spec,
    sealed: {},
    secrets: {},
    images: {},
    files: [],
    pairing: "p1",
    expectedRevision: null,
    actor: "test",
    ...over,
  };
}
