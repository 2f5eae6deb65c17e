import { describe, expect, test } from "vitest";
import { cityDay, islamicDate } from "#firmware-sim/calendar.ts";
import { venueEvents } from "#firmware-sim/venue-calendar.ts";
import type { DeviceKind } from "#firmware-sim/devices/device.ts";
import { instant, mean, moment, RunningCity, zone } from "./running-city.ts";

const dayOf = (date: string): number => Date.parse(`${date}T00:00Z`) / 86_400_000;

/** Mean of a field over a kind on working days of four weeks, by local hour. */
function hourly(kind: DeviceKind, field: string, from: string, roles?: readonly string[]): number[] {
  const all = new RunningCity({ kinds: [kind] }).say({ from: `${from}T00:00`, hours: 28 * 24, step_min: 15 });
  const own = [...all.values()].filter(({ sensor }) => roles?.includes(sensor.attributes.role ?? "") ?? true);
  const clock = own[0]!.times.map((time) => (time + zone.offsetAt(time)) / 3_600_000);
  const workdays = new Map(
    [...new Set(clock.map((wall) => Math.floor(wall / 24)))].map((day) => [
      day,
      cityDay(zone, day).kind === "workday",
    ]),
  );
  return Array.from({ length: 24 }, (_, hour) =>
    mean(
      own.flatMap(({ values }) =>
        values[field]!.filter(
          (_value, i) =>
            workdays.get(Math.floor(clock[i]! / 24)) === true && Math.floor(clock[i]! % 24) === hour,
        ),
      ),
    ),
  );
}

const morningPeak = (hours: readonly number[]): number => hours.indexOf(Math.max(...hours.slice(4, 12)));
const night = (hours: readonly number[]): number => mean(hours.slice(0, 4)) / mean(hours.slice(7, 11));

/** Of a kind's sensors on a morning: a gauge's mean, a total's gain. */
const day = (date: string, kind: DeviceKind, field: string): number[] =>
  [...new RunningCity({ kinds: [kind] }).say({ from: `${date}T06:00`, hours: 4, step_min: 10 }).values()].map(
    ({ values: { [field]: said = [] } }) =>
      field === "dispatch_total" ? said.at(-1)! - said[0]! : mean(said),
  );

describe("the calendar", () => {
  test.each([
    ["2026-02-18", 9, 1],
    ["2026-03-19", 9, 30],
    ["2026-03-20", 10, 1],
    ["2026-05-27", 12, 10],
    ["2027-02-08", 9, 1],
  ])("%s is day %i/%i of Umm al-Qura", (date, month, day) => {
    expect(islamicDate(dayOf(date))).toEqual({ month, day });
  });

  test("knows working days, the weekend, the month of fasting and the feasts", () => {
    const kinds = ["2026-02-16", "2026-02-20", "2026-02-21", "2026-03-20", "2026-05-26", "2026-05-31"].map(
      (date) => {
        const { kind, ramadan } = cityDay(zone, dayOf(date));
        return ramadan ? `${kind} of ramadan` : kind;
      },
    );
    expect(kinds).toEqual(["workday", "friday of ramadan", "saturday of ramadan", "eid", "eid", "workday"]);
  });

  test("sees the sun set in Doha at half past six in July and a quarter to five in November", () => {
    expect(cityDay(zone, dayOf("2026-07-05")).sunset_h).toBeCloseTo(18.45, 0.3);
    expect(Math.abs(cityDay(zone, dayOf("2026-11-27")).sunset_h - 16.72)).toBeLessThan(0.2);
  });

  test("shapes go on without a jump from day to day", () => {
    for (const local of ["2026-02-17", "2026-03-19", "2026-03-23", "2026-07-09"]) {
      const [late, early] = [moment(`${local}T23:59`), moment(`${local}T23:59`)];
      for (const shape of [0, 1, 2, 3])
        expect(late.today[shape]!.at(-1)).toBeCloseTo(early.tomorrow[shape]![0]!, 1);
    }
  });
});

describe("a month of Ramadan against the month before", () => {
  const ramadan = "2026-02-18";
  const before = "2026-01-14";

  test("roads are empty at sunset, awake at midnight, and the morning rush is later and lower", () => {
    const [fasting, usual] = [ramadan, before].map((from) => hourly("traffic-detector", "vehicles", from));
    expect(fasting![18]! / usual![18]!).toBeLessThan(0.55);
    expect(fasting![18]! / mean([fasting![16]!, fasting![20]!])).toBeLessThan(0.6);
    expect(fasting![0]! / usual![0]!).toBeGreaterThan(2.5);
    expect(morningPeak(usual!)).toBe(7);
    expect(morningPeak(fasting!)).toBeGreaterThan(7);
  });

  test("water has its peaks before dawn and in the evening", () => {
    const [fasting, usual] = [ramadan, before].map((from) =>
      hourly("water-meter", "flow", from, ["customer"]),
    );
    expect(fasting![3]! / usual![3]!).toBeGreaterThan(2);
    expect(fasting![6]! / usual![6]!).toBeLessThan(0.6);
    expect(fasting![20]!).toBeGreaterThan(Math.max(...fasting!.slice(6, 15)));
  });

  test("electricity is drawn at night", () => {
    const [fasting, usual] = [ramadan, before].map((from) =>
      hourly("energy-meter", "power", from, ["feeder"]),
    );
    expect(night(fasting!)).toBeGreaterThan(1.2 * night(usual!));
  });
});

test("at Eid nobody goes to work: the morning is quiet, warehouses rest", () => {
  // 2026-03-22 is a Sunday of Eid, 2026-04-05 an ordinary one.
  expect(mean(day("2026-03-22", "traffic-detector", "vehicles"))).toBeLessThan(
    0.5 * mean(day("2026-04-05", "traffic-detector", "vehicles")),
  );
  expect(mean(day("2026-03-22", "food-stock", "dispatch_total"))).toBeLessThan(
    0.3 * mean(day("2026-04-05", "food-stock", "dispatch_total")),
  );
});

describe("the venue's events", () => {
  const [from, to] = [instant("2026-04-01T00:00"), instant("2026-07-01T00:00")];
  const events = venueEvents(1, zone, from, to);

  test("are a function of the seed: a few a month, in the evening, one after another", () => {
    expect(venueEvents(1, zone, from, to)).toEqual(events);
    expect(venueEvents(2, zone, from, to)).not.toEqual(events);
    expect(events.length).toBeGreaterThan(9);
    expect(events.length).toBeLessThan(40);
    for (const [i, event] of events.entries()) {
      expect(event.to - event.from).toBeGreaterThan(3_600_000);
      expect(event.from).toBeGreaterThan(events[i - 1]?.to ?? 0);
    }
  });

  test("slow the roads at the venue when they end, and no others", () => {
    const event = events.find(
      ({ to: end }) => cityDay(zone, Math.floor((end + 10_800_000) / 86_400_000)).kind !== "friday",
    )!;
    const local = new Date(event.to + 10_800_000).toISOString().slice(0, 16);
    const after = new RunningCity({ kinds: ["travel-timer"] }).say({ from: local, hours: 1 });
    const weekBefore = new Date(event.to + 10_800_000 - 7 * 86_400_000).toISOString().slice(0, 16);
    expect(events.some(({ to: end }) => Math.abs(end - event.to + 7 * 86_400_000) < 4 * 3_600_000)).toBe(
      false,
    );
    const usual = new RunningCity({ kinds: ["travel-timer"] }).say({ from: weekBefore, hours: 1 });
    const slower = [...after].map(([id, said]) => ({
      role: said.sensor.attributes.role,
      ratio: mean(said.values["seconds"]!) / mean(usual.get(id)!.values["seconds"]!),
    }));
    const venue = slower.filter(({ role }) => role === "venue").map(({ ratio }) => ratio);
    const elsewhere = slower.filter(({ role }) => role !== "venue").map(({ ratio }) => ratio);
    expect(Math.max(...venue)).toBeGreaterThan(1.3);
    expect(Math.max(...elsewhere)).toBeLessThan(1.25);
  });
});
