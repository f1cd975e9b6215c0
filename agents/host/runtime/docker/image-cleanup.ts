export interface KnownImage {
  name: string;
  /** With the layers that it shares with others: together they count for more than they take. */
  bytes: number;
  /** Unix ms. */
  lastUsedAt: number;
  /** A container is made of it, running or not. */
  inUse: boolean;
}

/**
 * Which images to remove so that the unused ones take no more than a bound together: those that were asked for longest
 * ago. Pure.
 */
export function imagesToRemove(images: KnownImage[], unusedBytesMax: number): string[] {
  const unused = images.filter((image) => !image.inUse).sort((one, other) => other.lastUsedAt - one.lastUsedAt);
  let bytes = 0;
  return unused
    .filter((image) => {
      bytes += image.bytes;
      return bytes > unusedBytesMax;
    })
    .map((image) => image.name);
}
