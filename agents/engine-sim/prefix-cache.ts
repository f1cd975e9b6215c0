import { createHash } from "node:crypto";
import { TOKEN_CHARACTERS } from "./model.ts";

/** What the cache tells apart: runs of this many tokens from the start of a prompt. */
const BLOCK_TOKENS = 64;

/**
 * Names the whole blocks of a prompt. A name stands for the block and all before it, so that two prompts share a name
 * exactly as far as they begin alike.
 */
export function prefixBlocks(prompt: string): string[] {
  const size = BLOCK_TOKENS * TOKEN_CHARACTERS;
  const names: string[] = [];
  let name = "";
  for (let end = size; end <= prompt.length; end += size) {
    name = createHash("sha1")
      .update(name)
      .update(prompt.slice(end - size, end))
      .digest("base64");
    names.push(name);
  }
  return names;
}

/**
 * Beginnings of prompts whose cache is still there: a request that begins like one need not compute that part. It lives
 * in what running requests leave free, so it shrinks when they grow; what was used longest ago goes first.
 */
export class PrefixCache {
  /** A set keeps the order in which blocks were last used. */
  private readonly blocks = new Set<string>();
  private evicted = 0;

  get tokens(): number {
    return this.blocks.size * BLOCK_TOKENS;
  }

  /** Since the start. */
  get evictedTokens(): number {
    return this.evicted;
  }

  /** @returns how many tokens of a prompt with these blocks need not be computed */
  match(names: readonly string[]): number {
    let hits = 0;
    for (const name of names) {
      if (!this.blocks.has(name)) break;
      hits += 1;
    }
    this.touch(names.slice(0, hits));
    return hits * BLOCK_TOKENS;
  }

  /** Keeps blocks that were computed, as far as there is room beside what is in use. */
  insert(names: readonly string[], freeTokens: number): void {
    this.touch(names);
    this.trim(freeTokens);
  }

  /** Gives up what no longer fits. */
  trim(freeTokens: number): void {
    for (const name of this.blocks) {
      if (this.tokens <= freeTokens) return;
      this.blocks.delete(name);
      this.evicted += BLOCK_TOKENS;
    }
  }

  /** @returns how many tokens were forgotten */
  clear(): number {
    const { tokens } = this;
    this.blocks.clear();
    return tokens;
  }

  /** From the last to the first, so that the end of a prompt goes before its beginning. */
  private touch(names: readonly string[]): void {
    for (const name of names.toReversed()) {
      this.blocks.delete(name);
      this.blocks.add(name);
    }
  }
}
