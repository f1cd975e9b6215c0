/** A file system that is mounted from elsewhere answers within this, or is taken not to. */
const ANSWER_MS_MAX = 2_000;

/**
 * Node looks at files with four threads, and one that waits for such a file system waits for ever. Two are left, for the
 * agent's own state and for names of hosts, whatever is mounted on its host.
 */
const UNANSWERED_MAX = 2;

/** Nobody answers for a path. */
export class PathSilent extends Error {
  override name = "PathSilent";
  constructor(path: string) {
    super(`${path} does not answer: the file system that is mounted there hangs`);
  }
}

/**
 * Looks at paths that users have named: they may lie on a file system that never answers, which is to hold up neither who
 * asks nor, look after look, the whole agent. So a path is looked at by one at a time, and none is begun where too many
 * are unanswered already.
 */
export class PathLooks {
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #unanswered = new Set<string>();

  /**
   * @param look what is asked of the file system, one question after the other
   * @throws PathSilent when it does not answer in time; what `look` throws
   */
  async at<T>(path: string, look: () => Promise<T>, withinMs: number = ANSWER_MS_MAX): Promise<T> {
    for (let before = this.#underWay.get(path); before !== undefined; before = this.#underWay.get(path)) {
      if (this.#unanswered.has(path) || !(await endsWithin(before, withinMs))) throw new PathSilent(path);
    }
    if (this.#unanswered.size >= UNANSWERED_MAX) throw new PathSilent(path);
    const looking = look();
    const ended = looking.then(
      () => this.#end(path),
      () => this.#end(path),
    );
    this.#underWay.set(path, ended);
    if (await endsWithin(ended, withinMs)) return looking;
    this.#unanswered.add(path);
    throw new PathSilent(path);
  }

  #end(path: string): void {
    this.#underWay.delete(path);
    this.#unanswered.delete(path);
  }
}

/** Those of this process, whose threads they are, at what users have named. */
export const pathLooks = new PathLooks();

/** And at the agent's own folder: it is looked at whatever else hangs, since without it there is nothing to report. */
export const ownLooks = new PathLooks();

async function endsWithin(looking: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const inTime = await Promise.race([looking.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
