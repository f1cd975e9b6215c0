import { Random } from "./random.ts";

/** Share of the seeds whose projects have two fleets that may each have an interconnect of their own. */
const SHARE = 0.3;
/** Of the files of such a fleet those that say so. */
const SAID_SHARE = 0.75;

/** Which fleet a machine is in, and whether that one's hosts share an interconnect. */
export class Clusters {
  readonly fleets: readonly string[];
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed, "clusters");
    this.fleets = this.random.chance(SHARE) ? ["default", "rack"] : ["default"];
  }

  /** Whether there are any at all. */
  get areThere(): boolean {
    return this.fleets.length > 1;
  }

  /** That of one more machine. */
  readonly fleet = (): string => this.random.pick([...this.fleets]);

  /** What a fleet's file says: a line of YAML. Now this, now that, and mostly the same. */
  placementLine(): string {
    return this.areThere && this.random.chance(SAID_SHARE) ? "placement: cluster\n" : "";
  }
}
