import * as fc from "fast-check";
import pino from "pino";
import { describe, expect, test } from "vitest";
import { ClockWatch } from "#edge-agent/clock-watch.ts";
import { PlatformClock } from "#edge-agent/platform-clock.ts";

const start = 1_764_000_000_000;

/** A gateway whose clock is `skew` ahead; its steady clock has an origin of its own. */
function exchange(at: number, skew: number, there: number, back: number, wait: number) {
  const origin = start - 12_345;
  return {
    trip: {
      sent: at - origin,
      arrived: at + there + wait + back - origin,
      platformReceived: at + there,
      platformSent: at + there + wait,
    },
    wall: (time: number) => time + skew,
    steady: (time: number) => time - origin,
  };
}

const delays = fc.integer({ min: 0, max: 5000 });
const trips = fc.array(
  fc.record({ there: delays, back: delays, wait: fc.nat(60_000), gap: fc.nat(50_000) }),
  {
    minLength: 1,
    maxLength: 30,
  },
);

describe("the platform's clock, seen from a gateway", () => {
  test("is found to within half of the quickest round trip, however unequal the ways are", () => {
    fc.assert(
      fc.property(fc.integer({ min: -9e7, max: 9e7 }), trips, (skew, all) => {
        const clock = new PlatformClock();
        let now = start;
        for (const { there, back, wait, gap } of all) {
          const { trip } = exchange(now, skew, there, back, wait);
          clock.add(trip);
          now += there + wait + back;
          const { wall, steady } = exchange(now, skew, 0, 0, 0);
          const found = clock.skew(wall(now), steady(now))!;
          expect(Math.abs(found.skew - skew)).toBeLessThanOrEqual(found.error);
          now += gap;
        }
      }),
    );
  });

  test("is best known from the quickest of the last trips", () => {
    const clock = new PlatformClock();
    clock.add(exchange(start, 90_000, 10, 10, 0).trip);
    clock.add(exchange(start + 60_000, 90_000, 3000, 20, 0).trip);
    const { wall, steady } = exchange(0, 90_000, 0, 0, 0);
    const found = clock.skew(wall(start + 64_000), steady(start + 64_000))!;
    expect(Math.abs(found.skew - 90_000)).toBeLessThan(1);
    expect(found.error).toBeLessThan(30);
  });

  test("shows at once when the gateway's clock is set, without another message", () => {
    const clock = new PlatformClock();
    const { trip, steady } = exchange(start, 90_000, 5, 5, 0);
    clock.add(trip);
    expect(clock.skew(start + 100 + 90_000, steady(start + 100))?.skew).toBeCloseTo(90_000);
    expect(clock.skew(start + 100, steady(start + 100))?.skew).toBeCloseTo(0);
  });

  test("is forgotten when the platform's clock is set, or nothing was heard for long", () => {
    const clock = new PlatformClock();
    const { trip, steady } = exchange(start, 0, 5, 5, 0);
    clock.add(trip);
    // The platform's clock was set an hour ahead: the old trip and the new one cannot both be right.
    const later = exchange(start + 60_000, 0, 500, 500, 0).trip;
    clock.add({
      ...later,
      platformReceived: later.platformReceived + 3_600_000,
      platformSent: later.platformSent + 3_600_000,
    });
    expect(clock.skew(start + 70_000, steady(start + 70_000))?.skew).toBeCloseTo(-3_600_000);
    expect(clock.skew(start + 2e6, steady(start + 2e6))).toBeUndefined();
  });

  test("is not learnt from times that contradict themselves", () => {
    const clock = new PlatformClock();
    clock.add({ sent: 0, arrived: 10, platformReceived: start, platformSent: start + 100 });
    clock.add({ sent: 10, arrived: 0, platformReceived: start, platformSent: start });
    clock.add({ sent: Number.NaN, arrived: 0, platformReceived: start, platformSent: start });
    expect(clock.skew(start, 10)).toBeUndefined();
  });
});

function openWatch(skew: number) {
  let now = start;
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => lines.push(line) });
  const watch = new ClockWatch(log, { wall: () => now + skew, steady: () => now - start });
  const pass = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { watch, lines, pass, platformNow: () => now };
}

describe("a clock watch", () => {
  test("asks when it is told the time, believes the answer to its own question only, and once", () => {
    const { watch, pass, platformNow } = openWatch(-90_000);
    expect(watch.receive({ marsad: 1, id: 1, time: platformNow() })).toBe(true);
    const sent = watch.ask();
    pass(20);
    const received = platformNow();
    pass(20);
    const foreign = { marsad: 1 as const, id: 2, time: received, echo: { sent: sent + 1, received } };
    expect(watch.receive(foreign)).toBe(false);
    expect(watch.skew()).toBeUndefined();
    const answer = { marsad: 1 as const, id: 3, time: received, echo: { sent, received } };
    expect(watch.receive(answer)).toBe(false);
    expect(watch.skew()!.skew).toBeCloseTo(-90_000);
    pass(5000);
    watch.receive(answer);
    expect(watch.skew()!.error).toBeLessThan(25);
  });

  test("warns of a clock that is more than 2 s off, and not of one that may be right", () => {
    for (const { skew, back, warnings } of [
      { skew: 90_000, back: 20, warnings: 1 },
      { skew: -90_000, back: 20, warnings: 1 },
      { skew: 1500, back: 20, warnings: 0 },
      { skew: 0, back: 9000, warnings: 0 },
    ]) {
      const { watch, lines, pass, platformNow } = openWatch(skew);
      for (let asked = 0; asked < 3; asked += 1) {
        const sent = watch.ask();
        const time = platformNow();
        pass(back);
        watch.receive({ marsad: 1, id: asked, time, echo: { sent, received: time } });
      }
      expect(lines).toHaveLength(warnings);
    }
  });

  test("remembers few questions", () => {
    const { watch, pass, platformNow } = openWatch(0);
    const first = watch.ask();
    for (let asked = 0; asked < 20; asked += 1) {
      pass(1);
      watch.ask();
    }
    watch.receive({ marsad: 1, id: 1, time: platformNow(), echo: { sent: first, received: platformNow() } });
    expect(watch.skew()).toBeUndefined();
  });
});
