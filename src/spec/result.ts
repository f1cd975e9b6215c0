/** What reading a written value gives: the value, or what is wrong and what to write instead, as a sentence. */
export type Result<T> = { ok: true; value: T } | { ok: false; problem: string };

export function good<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function bad(problem: string): Result<never> {
  return { ok: false, problem };
}
