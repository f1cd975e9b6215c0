import type { Report } from "../../src/wire/index.ts";

/** What one host said last of those that it does not reach, and what it says in reports that are on their way in. */
interface Said {
  incarnation: string;
  seq: number;
  taken: ReadonlySet<string>;
  coming: Set<ReadonlySet<string>>;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * What one server was told of the ways between hosts, kept apart from what it makes of it. Known is what was said in the
 * last report that it took in and in those that it may be taking in: a commit was decided by one of them.
 */
export class KnownWays {
  private readonly hosts = new Map<string, Said>();

  /** A report has come. @returns to be called with whether it was taken in */
  hears(key: string, { agent: { incarnation }, seq, peers }: Report): (isTaken: boolean) => void {
    const whole = new Set(peers?.unreached.filter((peer) => peer.whole).map(({ host }) => host));
    const said = this.hosts.get(key) ?? { incarnation, seq: 0, taken: NOTHING, coming: new Set() };
    this.hosts.set(key, said);
    said.coming.add(whole);
    return (isTaken) => {
      said.coming.delete(whole);
      if (!isTaken || (said.incarnation === incarnation && seq < said.seq)) return;
      Object.assign(said, { incarnation, seq, taken: whole });
    };
  }

  /** Whether it is known that the one host reaches the other on no port that was tried. */
  isCut(from: string, to: string): boolean {
    const said = this.hosts.get(from);
    return said?.taken.has(to) === true && [...said.coming].every((whole) => whole.has(to));
  }
}
