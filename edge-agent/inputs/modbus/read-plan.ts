import type { Table } from "./register-map.ts";

/** Registers, or bits of a coil or discrete table, that belong together. */
export interface Span {
  readonly table: Table;
  readonly register: number;
  readonly count: number;
}

/** One request and where in its answer a span begins, counted in registers or bits. */
export interface Located {
  readonly request: number;
  readonly at: number;
}

export interface ReadPlan {
  readonly requests: readonly Span[];
  /** By the spans' order. */
  readonly located: readonly Located[];
}

/** Modbus Application Protocol 1.1b3, 6.1 to 6.4. */
export function maxCount(table: Table): number {
  return table === "coil" || table === "discrete" ? 2000 : 125;
}

/**
 * The fewest requests that read all spans, none of them cut in two. Spans are read together when at most `gap` registers lie between them.
 */
export function planReads(spans: readonly Span[], gap: number): ReadPlan {
  const order = spans.map((_, index) => index).sort((a, b) => compare(spans[a]!, spans[b]!));
  const requests: Span[] = [];
  const located: Located[] = Array.from({ length: spans.length });
  for (const index of order) {
    const span = spans[index]!;
    const last = requests.at(-1);
    const end = last === undefined ? 0 : Math.max(last.register + last.count, span.register + span.count);
    const joins =
      last !== undefined &&
      last.table === span.table &&
      span.register - (last.register + last.count) <= gap &&
      end - last.register <= maxCount(span.table);
    if (joins) requests[requests.length - 1] = { ...last, count: end - last.register };
    else requests.push(span);
    const request = requests.length - 1;
    located[index] = { request, at: span.register - requests[request]!.register };
  }
  return { requests, located };
}

function compare(a: Span, b: Span): number {
  if (a.table !== b.table) return a.table < b.table ? -1 : 1;
  return a.register - b.register || a.count - b.count;
}
