/*
 * Predicates for the byte-wise decoders. ASCII codes are constants of each module that needs them: an exported constant is loaded from its
 * module's cell at each use, which cost the scanner 30 % (tests/bench/scanner.bench.ts).
 */

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Do the bytes from `at` on begin with `wanted`? */
export function hasAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i += 1) {
    if (bytes[at + i] !== wanted[i]) return false;
  }
  return true;
}
