import { StartError } from "../node/start-error.ts";
import type { World } from "./world.ts";

/**
 * In this order: nothing is changed before it is known who deploys; tables come before the code that needs them; the
 * first token comes last, when it is known for which address to keep it.
 */
export const STEPS = {
  key: "the key that seals secrets",
  account: "the account at Cloudflare",
  database: "the tables of the database",
  worker: "the Worker, with its secrets, cron trigger and Durable Objects",
  first: "the first project, its fleet and its admin's token",
  answer: "an answer from the Worker",
} as const;

const TITLES = Object.values(STEPS);

/** Announces a step. */
export function announce(title: string, say: World["say"]): void {
  say(`[${(TITLES as string[]).indexOf(title) + 1}/${TITLES.length}] ${title}`);
}

/** Runs steps, and says of one that fails where in the whole it stands. */
export function stepper({ say, interrupted }: Pick<World, "say" | "interrupted">) {
  const done: string[] = [];
  return async <T>(title: string, run: () => Promise<T>): Promise<T> => {
    interrupted.throwIfAborted();
    announce(title, say);
    try {
      const result = await run();
      done.push(title);
      return result;
    } catch (error) {
      if (interrupted.aborted) throw error;
      const before = done.length === 0 ? "Nothing was changed." : `Done before it: ${done.join("; ")}.`;
      throw new StartError(
        `Step ${done.length + 1} of ${TITLES.length} failed (${title}).\n${messageOf(error)}\n` +
          `${before} Every step can be repeated: run the same command again once this is mended.`,
        { cause: error },
      );
    }
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
