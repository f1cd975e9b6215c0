import fc from "fast-check";
import { expect, test } from "vitest";
import { parseConfig } from "./parse.ts";
import { printConfig } from "./print.ts";
import { fleet, gateway, volume } from "./testing/arbitrary-others.ts";
import { service, serviceWithOuterRouter } from "./testing/arbitrary-service.ts";
import type { Described } from "./types.ts";

function readAgain(text: string): unknown {
  const read = parseConfig(text, "printed.yml");
  return read.ok ? read.spec : { issues: read.issues, text };
}

test.each([
  ["a service", service],
  ["a service with a router of ours", serviceWithOuterRouter],
  ["a fleet", fleet],
  ["a gateway", gateway],
  ["a volume", volume],
] as [string, fc.Arbitrary<Described["spec"]>][])(
  "%s that is printed and read again is the same",
  (_what, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (spec) => {
        expect(readAgain(printConfig(spec))).toEqual(spec);
      }),
      { numRuns: 150 },
    );
  },
);
