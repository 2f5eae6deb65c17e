/** How many rising sequences, each with its gaps, numbers make up together: the least; equal ones do not rise. */
export function risingSequences(numbers: readonly number[]): number {
  const ends: number[] = [];
  for (const number of numbers) {
    // Behind the highest end that is below it: then the others stay open for what is lower.
    let best = -1;
    for (const [at, end] of ends.entries()) if (end < number && (best === -1 || end > ends[best]!)) best = at;
    if (best === -1) ends.push(number);
    else ends[best] = number;
  }
  return ends.length;
}
