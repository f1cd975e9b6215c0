/** A straight line through measured points. */
export interface Line {
  at0: number;
  slope: number;
}

/**
 * The line with the least squared distances.
 * @throws Error with fewer than two different x, through which any line goes
 */
export function fitLine(points: readonly { x: number; y: number }[]): Line {
  const mean = (of: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean((point) => point.y)];
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  if (!(spread > 0)) throw new Error("a line needs points at two different places");
  const slope = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
  return { at0: y - slope * x, slope };
}
