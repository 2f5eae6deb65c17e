/** The bytes that the tests' record at `position` has: its length and its content follow from it. */
export function recordAt(position: number): Uint8Array {
  const length = [10, 300, 2_020, 9_300, 40_000][position % 5]!;
  return new Uint8Array(length).fill(position % 251);
}
