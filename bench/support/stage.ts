/**
 * Runs a part of a bench: says on standard error that it begins, and fails with its name when it has not ended in time, so
 * that a bench that hangs says where.
 */
export async function stage<T>(name: string, withinS: number, work: () => Promise<T>): Promise<T> {
  process.stderr.write(`${name}\n`);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`"${name}" has not ended within ${withinS} s`)),
    withinS * 1_000,
  );
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
