/** Physics stands on whole minutes; between two of them every flow is a straight line. */
export const cell_ms = 60_000;
export const cell_s = cell_ms / 1000;

/** The integral over the first `s` seconds of a cell of what goes from `a` to `b` in it. */
export function integral(a: number, b: number, s: number): number {
  return a * s + ((b - a) * s * s) / (2 * cell_s);
}

/** The integral of its positive part alone. */
export function positiveIntegral(a: number, b: number, s: number): number {
  if (a >= 0 && b >= 0) return integral(a, b, s);
  if (a <= 0 && b <= 0) return 0;
  const crossing = (cell_s * a) / (a - b);
  if (a > 0) return integral(a, b, Math.min(s, crossing));
  return s <= crossing ? 0 : ((b - a) / (2 * cell_s)) * (s - crossing) ** 2;
}
