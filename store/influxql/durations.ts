const maxInt64 = 2n ** 63n - 1n;
const units_ns: Readonly<Record<string, bigint>> = {
  ns: 1n,
  u: 1_000n,
  µ: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};
const part = /(\d+)(ns|ms|[uµsmhdw])/y;

/** `1h30m` -> nanoseconds; a message for what is none. */
export function parseDuration(text: string): bigint | string {
  let ns = 0n;
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return "invalid duration";
    ns += BigInt(match[1] ?? 0) * (units_ns[match[2] ?? ""] ?? 0n);
  }
  if (ns > maxInt64) return `overflowed duration ${text}: choose a smaller duration`;
  return ns;
}

/** In the largest unit that leaves nothing over. */
export function printDuration(ns: bigint): string {
  if (ns === 0n) return "0s";
  for (const unit of ["w", "d", "h", "m", "s", "ms", "u"]) {
    const size = units_ns[unit] ?? 1n;
    if (ns % size === 0n) return `${ns / size}${unit}`;
  }
  return `${ns}ns`;
}
