/** Offered at most. */
const OFFERED = 5;

/**
 * Of `names`, those that look most like `wanted`: what a typing slip made of them, or what contains it. Case counts
 * only between equals.
 * @returns At most five, best first, without repeats; empty when nothing is near.
 */
export function nearest(wanted: string, names: Iterable<string>): string[] {
  const low = wanted.toLowerCase();
  const tolerance = Math.max(2, Math.floor(low.length / 3));
  const scored: { name: string; score: number }[] = [];
  for (const name of new Set(names)) {
    const candidate = name.toLowerCase();
    const score = distance(low, candidate, tolerance);
    if (score <= tolerance) scored.push({ name, score });
    else if (low.length >= 2 && (candidate.includes(low) || low.includes(candidate))) {
      scored.push({ name, score: tolerance + 1 });
    }
  }
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
  return scored.slice(0, OFFERED).map(({ name }) => name);
}

/** Levenshtein's distance, or `limit + 1` once it must exceed `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1));
    }
    if (Math.min(...current) > limit) return limit + 1;
    previous = current;
  }
  return previous[b.length]!;
}
