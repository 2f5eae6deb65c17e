import type { Window } from "../../influxql/engine.ts";
import { Windows } from "../../influxql/windows.ts";
import { timestamp } from "../sql.ts";

/** Windows after a change of clocks that are not regular yet: with an offset the change shortens one that begins after it. */
const irregular = 3;
/** No zone changes its clocks twice within this. */
const step_ms = 5 * 86_400_000;
/** Clocks change on a quarter of an hour. */
const quarter_ms = 15 * 60_000;

export interface WindowSql {
  /** A number that tells windows apart and rises with them. */
  readonly sql: string;
  /** A window's beginning, ms since 1970. */
  startOf(number: number): number;
}

/**
 * A row's window as SQL over `time` in [from, to): whole-number arithmetic, apart for each time between two changes of
 * the zone's clocks. Windows at a change are written out.
 */
export function windowSql(window: Window, from: number, to: number): WindowSql {
  const windows = new Windows(window);
  const { every } = windows;
  const pieces: { readonly to: number; readonly sql: string }[] = [];
  // Times are not before `at`: the division rounds down. In microseconds, to which DuckDB turns what it computes with anyway.
  const count = (at: number): string => `(epoch_us(time) - (${at}000)) // ${every}000`;
  const regular = (at: number): string => `${count(at)} * ${every} + (${at})`;
  let at = windows.startOf(from);
  for (const change of window.zone === undefined
    ? []
    : clockChanges(windows, from - irregular * every, to + every)) {
    const before = Math.floor((change - 1 - at) / every);
    if (before > 0) {
      pieces.push({ to: at + before * every, sql: regular(at) });
      at += before * every;
    }
    while (at < Math.min(to, change + irregular * every)) {
      const end = windows.endOf(at);
      pieces.push({ to: end, sql: `${at}` });
      at = end;
    }
  }
  if (pieces.length === 0) return { sql: count(at), startOf: (number) => at + number * every };
  const cases = pieces.map((piece) => `WHEN time < ${timestamp(piece.to)} THEN ${piece.sql}`);
  return { sql: `CASE ${cases.join(" ")} ELSE ${regular(at)} END`, startOf: (number) => number };
}

/** The first instants of other clocks after `from`, up to `to`. */
function clockChanges(windows: Windows, from: number, to: number): number[] {
  const changes: number[] = [];
  let low = Math.floor(from / quarter_ms) * quarter_ms;
  while (low < to) {
    const high = low + step_ms;
    if (windows.clockOffset(high) !== windows.clockOffset(low)) {
      let [same, other] = [low / quarter_ms, high / quarter_ms];
      while (other - same > 1) {
        const middle = Math.floor((same + other) / 2);
        if (windows.clockOffset(middle * quarter_ms) === windows.clockOffset(low)) same = middle;
        else other = middle;
      }
      changes.push(other * quarter_ms);
    }
    low = high;
  }
  return changes;
}
