import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PollSchedule } from "#edge-agent/inputs/modbus/poll-schedule.ts";

/** Lets `reads` reads happen, each taking `cost`. @returns when each device was read */
function run(
  schedule: PollSchedule,
  devices: number,
  reads: number,
  cost: number,
  again: (device: number) => boolean = () => false,
): number[][] {
  const times: number[][] = Array.from({ length: devices }, () => []);
  let now = 0;
  for (let read = 0; read < reads; read++) {
    const { device, wait } = schedule.next(now);
    now += wait;
    times[device]!.push(now);
    now += cost;
    if (again(device)) schedule.again(device, now);
    else schedule.done(device, now);
  }
  return times;
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, at) => time - times[at]!);
}

test("devices are spread over their period and keep to an even grid", () => {
  const times = run(new PollSchedule([1000, 1000, 1000, 1000], 0), 4, 12, 7);
  expect(times).toEqual([
    [0, 1000, 2000],
    [250, 1250, 2250],
    [500, 1500, 2500],
    [750, 1750, 2750],
  ]);
});

test("a bus that cannot keep up reads every device in turn, and does not catch up", () => {
  const times = run(new PollSchedule([100, 100, 100], 0), 3, 30, 90);
  expect(times.map(({ length }) => length)).toEqual([10, 10, 10]);
  for (const read of times) expect(Math.max(...gaps(read))).toBeLessThanOrEqual(400);
});

test("a device that has always more to say does not keep the others from their turn", () => {
  const times = run(new PollSchedule([1000, 1000], 0), 2, 1000, 5, (device) => device === 0);
  expect(Math.max(...gaps(times[1]!))).toBeLessThanOrEqual(1005);
  expect(times[0]!.length).toBeGreaterThan(900);
});

test("whatever the periods and costs, every device has its turns, none before it is due", () => {
  const periods = fc.array(fc.integer({ min: 10, max: 500 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(periods, fc.integer({ min: 0, max: 60 }), (periods, cost) => {
      const times = run(new PollSchedule(periods, 0), periods.length, 600, cost);
      for (const [device, read] of times.entries()) {
        expect(read.length).toBeGreaterThan(0);
        const first = (device * Math.min(...periods)) / periods.length;
        expect(read[0]! + 1e-6).toBeGreaterThanOrEqual(first);
        const slots = read.map((time) => Math.floor((time - first) / periods[device]! + 1e-6));
        expect(gaps(slots).every((gap) => gap > 0)).toBe(true);
      }
    }),
  );
});
