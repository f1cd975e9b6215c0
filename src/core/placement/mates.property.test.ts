import fc from "fast-check";
import { test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, withGpus } from "../../../test/support/specs.ts";
import type { JobEntity } from "../state.ts";

const HOSTS = ["a", "b", "c", "d"];
const GPUS = [0, 1].map((index) => ({ index, vendor: "nvidia" as const, name: "H200", memoryGib: 141 }));

const cut = fc.record({
  from: fc.constantFrom(...HOSTS),
  to: fc.constantFrom(...HOSTS),
  ports: fc.constantFrom<"all" | number[]>("all", [8_000], [8_998], [20_000, 20_001]),
});
type Cut = typeof cut extends fc.Arbitrary<infer C> ? C : never;

/** The last word on a pair of hosts holds, as a report replaces the one before. */
function reaches(cuts: Cut[], from: string, to: string, port: number | undefined): boolean {
  const said = cuts.findLast((one) => one.from === from && one.to === to);
  return from === to || said === undefined || !(said.ports === "all" || said.ports.includes(port as number));
}

test("no replica is placed where it is known to be of no use, whatever is known and however little room there is", () => {
  const counts = fc.record({ prefills: fc.nat(3), decodes: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 10 }), counts, (cuts, { prefills, decodes }) => {
      const world = new World();
      for (const host of HOSTS) world.addHost(host, { accelerators: GPUS });
      for (const { from, to, ports } of cuts) if (from !== to) world.cut(from, to, ports, "no answer");
      const groups = [prefillGroup(prefills, withGpus(1)), decodeGroup(decodes, withGpus(1))];
      world.apply(serviceSpec("svc", [routerGroup(), ...groups]));
      world.settle();

      const jobs = [...world.state.tables.job.byId.values()];
      const of = (group: string) => jobs.filter((job) => job.group === group);
      const portOf = (job: JobEntity, name: string) => job.ports.find((claim) => claim.name === name)?.port;
      const meets = (from: JobEntity, to: JobEntity, name: string) =>
        reaches(cuts, from.host, to.host, portOf(to, name));
      const [router] = of("router");
      const isSentTo = (job: JobEntity) => router === undefined || meets(router, job, "service");
      for (const group of ["prefill", "decode"]) {
        if (of(group).length > 0 && !of(group).some(isSentTo)) throw new Error(`the router reaches no ${group}`);
      }
      for (const prefill of of("prefill").filter(isSentTo)) {
        for (const decode of of("decode").filter(isSentTo)) {
          const meet = meets(decode, prefill, "bootstrap") && meets(prefill, decode, "service");
          if (!meet) throw new Error(`${decode.id} on ${decode.host} and ${prefill.id} on ${prefill.host} do not meet`);
        }
      }
      for (const { id, status, reason } of world.replicas("svc")) {
        if (status === "pending" && reason === "") throw new Error(`${id} waits, and nobody says why`);
      }
    }),
    { numRuns: 200 },
  );
});
