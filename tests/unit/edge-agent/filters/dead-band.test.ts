import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openFilters, parse, t0 } from "./support.ts";

const second = 1000;
const rule = {
  measurement: "water_tank",
  sensors: "wt-*",
  dead_band: { level: 0.01, fill: "1%" },
  max_silence_s: 300,
};

function tank(seconds: number, level: number, fill?: number): string {
  return `water_tank,sensor=wt-1 level=${level}${fill === undefined ? "" : `,fill=${fill}`} ${t0 + seconds * second}`;
}

function meter(seconds: number, total: number): string {
  return `water_flow,sensor=wf-1 volume_total=${total} ${t0 + seconds * second}`;
}

function state(seconds: number, door: boolean): string {
  return `cold_storage,sensor=cs-1 temp=4,door_open=${door} ${t0 + seconds * second}`;
}

/** What goes of `lines`. */
function sent(lines: readonly string[], rules: readonly object[] = [rule]): string[] {
  const filtered = openFilters(rules);
  filtered.take(lines);
  return filtered.sent();
}

describe("a dead-band", () => {
  test("sends the first reading, and one that left its band with the last one before it", () => {
    const lines = [tank(0, 2), tank(10, 2.004), tank(20, 2.008), tank(30, 2.5), tank(40, 2.505)];
    expect(sent(lines)).toEqual([tank(0, 2), tank(20, 2.008), tank(30, 2.5)]);
  });

  test("keeps what a counter had reached before it was reset", () => {
    const rules = [{ measurement: "water_flow", dead_band: { volume_total: 0.5 }, max_silence_s: 3600 }];
    const lines = [meter(0, 1000), meter(60, 1000.2), meter(3000, 1000.4), meter(3060, 0)];
    expect(sent(lines, rules)).toEqual([meter(0, 1000), meter(3000, 1000.4), meter(3060, 0)]);
  });

  test("of a field that it does not name lets every change pass, and of a share goes by the value last sent", () => {
    expect(sent([tank(0, 2, 0.5), tank(10, 2, 0.504), tank(20, 2, 0.506)])).toEqual([
      tank(0, 2, 0.5),
      tank(10, 2, 0.504),
      tank(20, 2, 0.506),
    ]);
    const rules = [{ dead_band: { temp: 0.5 }, max_silence_s: 600 }];
    const lines = [state(0, false), state(10, false), state(20, true), state(30, true)];
    expect(sent(lines, rules)).toEqual([state(0, false), state(10, false), state(20, true)]);
  });

  test("breaks the silence in time, and after it when there was nothing before", () => {
    expect(sent([tank(0, 2), tank(150, 2), tank(300, 2), tank(450, 2)])).toEqual([tank(0, 2), tank(300, 2)]);
    expect(sent([tank(0, 2), tank(200, 2), tank(400, 2), tank(600, 2)])).toEqual([
      tank(0, 2),
      tank(200, 2),
      tank(400, 2),
    ]);
    expect(sent([tank(0, 2), tank(900, 2)])).toEqual([tank(0, 2), tank(900, 2)]);
  });

  test("lets a late reading pass, together with the newest that it held", () => {
    expect(sent([tank(0, 2), tank(20, 2.001), tank(10, 7), tank(30, 2.002)])).toEqual([
      tank(0, 2),
      tank(20, 2.001),
      tank(10, 7),
    ]);
  });

  test("does not hold a reading for ever: it goes when its sensor falls silent, and at the end", () => {
    const filtered = openFilters([rule]);
    filtered.take([tank(0, 2), tank(10, 2.001)], t0 + 10 * second);
    filtered.tick(t0 + 310 * second);
    expect(filtered.sent()).toHaveLength(1);
    filtered.tick(t0 + 311 * second);
    expect(filtered.sent()).toEqual([tank(0, 2), tank(10, 2.001)]);
    filtered.take([tank(320, 2.002)], t0 + 320 * second);
    filtered.flush();
    filtered.flush();
    expect(filtered.sent().at(-1)).toEqual(tank(320, 2.002));
    expect(filtered.sent()).toHaveLength(3);
  });

  test("leaves other sensors, measurements and whatever is no plain reading as they are", () => {
    const lines = [
      "water_tank,sensor=xx-1 level=2 1764000000000",
      "water_tank,sensor=xx-1 level=2 1764000000001",
      "water_tanks,sensor=wt-1 level=2 1764000000001",
      "water_tank,sensor=wt-1,place=QA level=2 1764000000001",
      "water_tank,sensor=wt-2 level=2,level=2 1764000000001",
      "water_tank,sensor=wt-2 level=full 1764000000001",
      "water_tank,sensor=wt-2 depth=2 1764000000001",
      "water_tank,sensor=wt-2 level=1e999 1764000000001",
      `water_tank,sensor=wt-2 level=2 ${t0 + 200 * 86_400_000}`,
      "water_tank,sensor=wt-2 level=2 -5",
      "water_tank",
      "water_tank,sensor=wt-3 1764000000001",
    ];
    const twice = [...lines, ...lines];
    const expected = twice.map((line) => (line === "water_tank" ? `water_tank ${t0 + 86_400_000}` : line));
    expect(sent(twice)).toEqual(expected);
  });
});

/** Seconds since the reading before, change of level in thousandths, fill in hundredths; a jump now and then. */
const walk = fc.array(
  fc.record({
    gap: fc.integer({ min: 1, max: 400 }),
    step: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -900, max: 900 })),
    fill: fc.integer({ min: 20, max: 24 }),
  }),
  { minLength: 1, maxLength: 80 },
);

describe("whatever the readings are", () => {
  const absolute = 0.01;
  const share = 0.03;
  const silence = 300;
  const rules = [
    {
      measurement: "water_tank",
      dead_band: { level: absolute, fill: `${share * 100}%` },
      max_silence_s: silence,
    },
  ];

  function play(steps: readonly { gap: number; step: number; fill: number }[]): {
    all: string[];
    sent: string[];
  } {
    let seconds = 0;
    let level = 2000;
    const all = steps.map(({ gap, step, fill }) => {
      seconds += gap;
      level += step;
      return tank(seconds, level / 1000, fill / 100);
    });
    const filtered = openFilters(rules);
    filtered.take(all);
    filtered.flush();
    return { all, sent: filtered.sent() };
  }

  test("who holds each value until the next errs at no reading by more than the band", () => {
    fc.assert(
      fc.property(walk, (steps) => {
        const { all, sent } = play(steps);
        const rows = sent.map(parse);
        for (const { time, fields } of all.map(parse)) {
          const held = rows.findLast((row) => row.time <= time)!;
          expect(Math.abs(held.fields["level"]! - fields["level"]!)).toBeLessThanOrEqual(absolute + 1e-12);
          const band = share * held.fields["fill"]!;
          expect(Math.abs(held.fields["fill"]! - fields["fill"]!)).toBeLessThanOrEqual(band + 1e-12);
        }
      }),
    );
  });

  test("who draws straight lines errs at no reading by more than two bands", () => {
    fc.assert(
      fc.property(walk, (steps) => {
        const { all, sent } = play(steps);
        const rows = sent.map(parse);
        for (const { time, fields } of all.map(parse)) {
          const from = rows.findLast((row) => row.time <= time)!;
          const to = rows.find((row) => row.time >= time)!;
          const way = to.time === from.time ? 0 : (time - from.time) / (to.time - from.time);
          const drawn = from.fields["level"]! + way * (to.fields["level"]! - from.fields["level"]!);
          expect(Math.abs(drawn - fields["level"]!)).toBeLessThanOrEqual(2 * absolute + 1e-12);
        }
      }),
    );
  });

  test("no silence is longer than the bound, unless the sensor's own was", () => {
    fc.assert(
      fc.property(walk, (steps) => {
        const { all, sent } = play(steps);
        const own = all.map((line) => parse(line).time);
        const times = sent.map((line) => parse(line).time);
        expect(times.at(-1)).toBe(own.at(-1));
        const tooLong = times.filter((time, index) => {
          const gap = (times[index + 1] ?? time) - time;
          return gap > silence * second && own[own.indexOf(time) + 1] !== times[index + 1];
        });
        expect(tooLong).toEqual([]);
      }),
    );
  });

  test("what goes is what came, in its order and each once, and the rest is counted", () => {
    fc.assert(
      fc.property(walk, fc.boolean(), (steps, isShuffled) => {
        const filtered = openFilters(rules, 256);
        const all = steps.map(({ gap, step, fill }, index) =>
          tank(isShuffled ? gap * 100 + index : index * 10, step / 100, fill / 100),
        );
        filtered.take(all);
        filtered.flush();
        const sent = filtered.sent();
        expect(new Set(sent).size).toBe(sent.length);
        expect(all).toEqual(expect.arrayContaining(sent));
        expect(filtered.filters.counts.withinBand).toBe(all.length - sent.length);
        expect(filtered.intake.received).toBe(all.length);
      }),
    );
  });
});
