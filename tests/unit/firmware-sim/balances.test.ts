import { assert, constantFrom, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { unmeteredShare } from "#firmware-sim/network/water-plan.ts";
import { RunningCity, type Said, type Stretch } from "./running-city.ts";

const day: Stretch = { from: "2026-07-05T00:00", hours: 24 };
const seeds = { numRuns: 4 };
const anySeed = integer({ min: 0, max: 2 ** 31 - 1 });

const lasting = (said: Said, field: string): number => said.values[field]!.at(-1)! - said.values[field]![0]!;
const withRole = (all: ReadonlyMap<string, Said>, role: string): Said[] =>
  [...all.values()].filter(({ sensor }) => sensor.attributes.role === role);
const sum = (all: readonly Said[], field: string): number =>
  all.reduce((total, said) => total + lasting(said, field), 0);

/** The largest difference between what a total gained and the rate times the time, over a sensor's readings. */
function rateError(
  said: Said,
  rates: Readonly<Record<string, number>>,
  totals: Readonly<Record<string, number>>,
): number {
  const at = (terms: Readonly<Record<string, number>>, i: number): number =>
    Object.entries(terms).reduce((total, [name, factor]) => total + factor * said.values[name]![i]!, 0);
  let worst = 0;
  for (let i = 1; i < said.times.length; i += 1) {
    const dt_s = (said.times[i]! - said.times[i - 1]!) / 1000;
    worst = Math.max(worst, Math.abs(at(totals, i) - at(totals, i - 1) - at(rates, i) * dt_s));
  }
  return worst;
}

/** Who reads at other moments may see a period's flow more or less, m3; at the same moments only the rounding is left. */
function slack(live: boolean, flow_L_s: number): number {
  return live ? (flow_L_s * 10 * 2) / 1000 : 0.02;
}

/** Does each total gain what its rate says, but for half a last digit of each number? */
function agrees(said: Said, dt_s: number): boolean {
  const { sensor, device, values } = said;
  if (device.measurement === "water_flow")
    return (
      rateError(said, { flow: 0.001 }, { volume_total: 1, reverse_total: -1 }) < 0.0021 + 0.0000005 * dt_s
    );
  if (device.measurement === "energy_meter")
    return (
      rateError(said, { power: 1 / 3600 }, { import_total: 1, export_total: -1 }) <
      0.0021 + (0.0006 * dt_s) / 3600
    );
  if (device.measurement === "solar")
    return rateError(said, { power: 1 / 3600 }, { energy_total: 1 }) < 0.0011 + (0.0006 * dt_s) / 3600;
  const area = sensor.attributes.capacity_m3! / (values["level"]![0]! / values["fill"]![0]!);
  const perFlow = 0.001 / area;
  return (
    rateError(said, { inflow: perFlow, outflow: -perFlow }, { level: 1 }) < 0.0011 + 0.011 * perFlow * dt_s
  );
}

const rhythms: Stretch[] = [
  { from: "2026-07-05T00:00", hours: 12 },
  { from: "2026-03-01T15:00", hours: 1, step_min: 1 / 6, live: true },
  { from: "2026-07-05T00:00", hours: 24, step_min: 10 },
];

describe.each(rhythms)("in steps of %o", (stretch) => {
  const live = stretch.live === true;

  test("volumes gain what flows, energies what power says, and levels follow in- and outflow, to the last digit written", () => {
    assert(
      property(anySeed, (seed) => {
        const dt_s = (stretch.step_min ?? 1) * 60;
        const kinds = ["water-meter", "water-tank", "energy-meter", "solar-plant"] as const;
        const faults = { perDay: 20, kinds: ["leak", "power-cut"] as const };
        const all = [...new RunningCity({ seed, kinds, faults }).say(stretch).values()];
        expect(all.filter((said) => said.times.length < 2)).toEqual([]);
        expect(all.filter((said) => !agrees(said, dt_s)).map(({ sensor }) => sensor.id)).toEqual([]);
        const tanks = withRole(new Map(all.map((said) => [said.sensor.id, said])), "storage");
        expect(tanks.length).toBeGreaterThan(5);
        for (const { values } of tanks) {
          const { level, fill } = values as Record<"level" | "fill", number[]>;
          const height = level[0]! / fill[0]!;
          expect(Math.min(...fill)).toBeGreaterThan(0);
          expect(Math.max(...fill)).toBeLessThanOrEqual(1);
          expect(Math.max(...fill.map((share, i) => Math.abs(level[i]! - share * height)))).toBeLessThan(
            0.004,
          );
        }
      }),
      seeds,
    );
  });

  test("district meter areas, mains and tanks add up", () => {
    assert(
      property(anySeed, (seed) => {
        const kinds = ["water-meter", "water-tank"] as const;
        const all = new RunningCity({ seed, kinds }).say(stretch);
        const outlets = withRole(all, "dma_out");
        expect(outlets.length).toBeGreaterThan(0);
        for (const inlet of withRole(all, "dma_in")) {
          const { dma } = inlet.sensor.attributes;
          const own = withRole(all, "customer").filter(({ sensor }) => sensor.attributes.dma === dma);
          const passedOn = sum(
            outlets.filter(({ sensor }) => sensor.attributes.dma === dma),
            "volume_total",
          );
          const taken = (sum(own, "volume_total") - sum(own, "reverse_total")) / (1 - unmeteredShare);
          const input = lasting(inlet, "volume_total") - passedOn;
          const loss = (input - taken) / input;
          expect(own.length).toBeGreaterThan(0);
          // A night's share is higher, a morning's lower: of a whole day it is what the country has.
          const [lowest, highest] = stretch.hours === 24 ? [0.13, 0.185] : [0.05, 0.3];
          expect(loss).toBeGreaterThan(lowest);
          expect(loss).toBeLessThan(highest);
        }
        for (const outlet of outlets) {
          const next = withRole(all, "dma_in").find(
            ({ sensor }) => sensor.attributes.dma === outlet.sensor.leadsTo,
          )!;
          const [out, into] = [lasting(outlet, "volume_total"), lasting(next, "volume_total")];
          expect(Math.abs(out - into)).toBeLessThan(slack(live, next.sensor.size));
        }
        const tanks = withRole(all, "storage");
        const stored = tanks.reduce((total, { values, sensor }) => {
          const area = sensor.attributes.capacity_m3! / (values["level"]![0]! / values["fill"]![0]!);
          return total + (values["level"]!.at(-1)! - values["level"]![0]!) * area;
        }, 0);
        const input = sum(withRole(all, "source"), "volume_total");
        const inlets = sum(withRole(all, "dma_in"), "volume_total") - sum(outlets, "volume_total");
        // A level is written to the millimetre: of nine tanks with some hectares that is some hundred m3.
        const millimetres = tanks.reduce(
          (total, { sensor }) => total + (sensor.attributes.capacity_m3! / 5.5) * 0.001,
          0,
        );
        expect(Math.abs(input - inlets - stored)).toBeLessThan(millimetres + slack(live, input));
      }),
      seeds,
    );
  });

  test("feeders supply their customers and the technical loss, less what the sun gives", () => {
    assert(
      property(anySeed, (seed) => {
        const kinds = ["energy-meter", "solar-plant"] as const;
        const all = new RunningCity({ seed, kinds }).say(stretch);
        const feeders = withRole(all, "feeder");
        expect(feeders).toHaveLength(7);
        for (const feeder of feeders) {
          const { site } = feeder.sensor.attributes;
          const at = (role: string): Said[] =>
            withRole(all, role).filter(({ sensor }) => sensor.attributes.site === site);
          const net = (meters: readonly Said[]): number =>
            sum(meters, "import_total") - sum(meters, "export_total");
          expect(at("customer")).toHaveLength(6);
          const customers = net(at("customer"));
          const loss = net([feeder]) - customers + sum(at("generator"), "energy_total");
          const imported = sum(at("customer"), "import_total");
          expect(loss / imported).toBeGreaterThan(live ? -0.05 : 0.005);
          expect(loss / imported).toBeLessThan(live ? 0.12 : 0.09);
        }
      }),
      seeds,
    );
  });
});

test("an inlet's flow is its customers', the unmetered share and a loss that drifts slowly, at each minute", () => {
  const all = new RunningCity({ kinds: ["water-meter"] }).say(day);
  for (const inlet of withRole(all, "dma_in")) {
    const { dma } = inlet.sensor.attributes;
    const own = withRole(all, "customer").filter(({ sensor }) => sensor.attributes.dma === dma);
    const outlets = withRole(all, "dma_out").filter(({ sensor }) => sensor.attributes.dma === dma);
    const losses = inlet.values["flow"]!.map((flow, i) => {
      const [taken, passed] = [own, outlets].map((meters) =>
        meters.reduce((total, { values }) => total + values["flow"]![i]!, 0),
      );
      return flow - passed! - taken! / (1 - unmeteredShare);
    });
    expect(Math.max(...losses) / Math.min(...losses)).toBeLessThan(1.02);
  }
});

test("loss is 15 to 18 % of what is put in, all year, and drifts", () => {
  const shares = ["2026-01-11", "2026-04-12", "2026-07-05", "2026-10-11"].map((date) => {
    const all = new RunningCity({ kinds: ["water-meter"] }).say({
      from: `${date}T00:00`,
      hours: 72,
      step_min: 5,
    });
    const input =
      sum(withRole(all, "dma_in"), "volume_total") - sum(withRole(all, "dma_out"), "volume_total");
    const customers = withRole(all, "customer");
    return (
      (input - (sum(customers, "volume_total") - sum(customers, "reverse_total")) / (1 - unmeteredShare)) /
      input
    );
  });
  for (const share of shares) {
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.18);
  }
  expect(new Set(shares.map((share) => share.toFixed(4))).size).toBe(4);
});

test("water runs back through a customer's meter now and then, and is counted apart", () => {
  const all = new RunningCity({ kinds: ["water-meter"] }).say({ from: "2026-07-05T00:00", hours: 96 });
  const reversed = withRole(all, "customer").filter((said) => lasting(said, "reverse_total") > 0);
  expect(reversed.length).toBeGreaterThan(0);
  expect(reversed.every(({ values }) => values["flow"]!.some((flow) => flow < 0))).toBe(true);
});

test("food in stock is the stock before, what came in and what went out, to the kilogram, and totals only rise", () => {
  assert(
    property(anySeed, constantFrom(1 / 6, 1, 15, 60), (seed, step_min) => {
      const all = new RunningCity({ seed, kinds: ["food-stock"] }).say({
        from: "2026-07-05T03:00",
        hours: step_min * 10,
        step_min,
      });
      const wrong: string[] = [];
      for (const { values } of all.values()) {
        const kg = (field: string, i: number): number => Math.round(values[field]![i]! * 1000);
        for (let i = 1; i < values["stock"]!.length; i += 1) {
          const gained = (field: string): number => kg(field, i) - kg(field, i - 1);
          const came = ["intake_local_total", "intake_import_total", "transfer_in_total"].map(gained);
          const went = gained("dispatch_total");
          if (Math.min(...came, went) < 0) wrong.push(`a total falls at ${values["stock"]![i]}`);
          if (gained("stock") !== came[0]! + came[1]! + came[2]! - went)
            wrong.push(`stock ${values["stock"]![i]}`);
        }
      }
      expect(wrong).toEqual([]);
    }),
    { numRuns: 12 },
  );
});
