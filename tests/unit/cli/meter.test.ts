import { expect, test } from "vitest";
import type { Totals } from "#api/schemas.ts";
import { Meter } from "#cli/up/meter.ts";

const totals = (some: Partial<Totals>): Totals => ({
  received: 0,
  stored: 0,
  duplicate: 0,
  refused: 0,
  waiting: 0,
  journal: 0,
  missing: 0,
  gateways_connected: 0,
  ...some,
});

test("the rate is what was received since the last look", () => {
  const meter = new Meter();
  expect(meter.read(totals({ received: 5_000 }), 1_000).perSecond).toBe(0);
  expect(meter.read(totals({ received: 5_900 }), 3_000).perSecond).toBe(450);
});

test("sensors that speak in one second of ten make the same rate in each", () => {
  const meter = new Meter();
  const rates: number[] = [];
  for (let second = 0; second < 40; second += 1) {
    const received = 300 * Math.floor((second + 7) / 10);
    rates.push(meter.read(totals({ received }), 1_000 * second).perSecond);
  }
  expect(rates.slice(10)).toEqual(Array(30).fill(30));
});

test("sums go on where they were when the platform starts again", () => {
  const meter = new Meter();
  meter.read(totals({ received: 100, stored: 80, refused: 5, duplicate: 2, journal: 13 }), 0);
  const after = meter.read(totals({ received: 20, stored: 15, journal: 5 }), 1_000);
  expect(after).toMatchObject({ perSecond: 0, stored: 95, refused: 5, settled: 102, onTheWay: 5 });
  expect(meter.read(totals({ received: 30, stored: 30 }), 2_000)).toMatchObject({
    perSecond: 10,
    stored: 110,
  });
});

test("on the way is all that has no final answer yet", () => {
  expect(new Meter().read(totals({ waiting: 1, journal: 2, missing: 4 }), 0).onTheWay).toBe(7);
});
