import { cityDay } from "./calendar.ts";
import { between, randomFor } from "./random.ts";
import type { Zone } from "#telemetry/zone.ts";

/** Something at a city's venue that thousands come to. ms since 1970. */
export interface VenueEvent {
  readonly from: number;
  readonly to: number;
}

const hour_ms = 3_600_000;
const day_ms = 24 * hour_ms;
const quarter_ms = hour_ms / 4;

/** The event that begins on a local day, if any: an evening, most often on Thursday to Saturday; in Ramadan after the night prayer. */
export function venueEventOn(seed: number, zone: Zone, localDay: number): VenueEvent | undefined {
  const random = randomFor(seed, `venue/${localDay}`);
  const { kind, ramadan } = cityDay(zone, localDay);
  const weekday = (((localDay + 4) % 7) + 7) % 7;
  const likely = kind === "eid" ? 0.5 : weekday >= 4 ? 0.35 : 0.08;
  if (between(random, 0, 1) >= likely) return undefined;
  const hour = ramadan ? 21.5 : between(random, 17.5, 19.5);
  const wall = Math.round((localDay * day_ms + hour * hour_ms) / quarter_ms) * quarter_ms;
  const from = zone.instantsOf(wall)[0] ?? zone.instantOfSkipped(wall);
  return { from, to: from + Math.round(between(random, 7.5, 10.5)) * quarter_ms };
}

/** The events that begin in [from, to), ms since 1970: rows for an operator's calendar. */
export function venueEvents(seed: number, zone: Zone, from: number, to: number): VenueEvent[] {
  const first = Math.floor((from + zone.offsetAt(from)) / day_ms);
  const last = Math.floor((to + zone.offsetAt(to)) / day_ms);
  return Array.from({ length: last - first + 1 }, (_, ahead) =>
    venueEventOn(seed, zone, first + ahead),
  ).filter((event) => event !== undefined && event.from >= from && event.from < to) as VenueEvent[];
}

const coming = { before_ms: 1.2 * hour_ms, spread_ms: 0.6 * hour_ms, share: 0.4 };
const leaving = { rise_ms: hour_ms / 5, fall_ms: 0.75 * hour_ms, share: 1.1 };

/** What an event adds to the demand of the roads at its venue, share of their peak. */
export function eventTraffic({ from, to }: VenueEvent, time: number): number {
  if (time < to)
    return coming.share * Math.exp(-(((time - from + coming.before_ms) / coming.spread_ms) ** 2));
  const since = time - to;
  return leaving.share * Math.min(1, since / leaving.rise_ms) * Math.exp(-since / leaving.fall_ms);
}
