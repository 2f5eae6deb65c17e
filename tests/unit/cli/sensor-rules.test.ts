import { expect, test } from "vitest";
import type { SensorListener } from "#ingest/registry/registry.ts";
import { newSensor, type SensorRecord } from "#ingest/registry/sensor-record.ts";
import { PlatformConfig } from "../../../cli/platform/config.ts";
import { rulesOf, sensorRules } from "../../../cli/platform/sensor-rules.ts";

const sensor: SensorRecord = newSensor({ agency: "water", name: "gw-1" }, "wm-1", 0);
const place = "QA-DA";
const always = Number.NEGATIVE_INFINITY;

test("how often a sensor speaks is what the registry said at the time, else its measurement's", () => {
  expect(rulesOf(undefined, 60).period_s).toEqual([{ from: always, value: 60 }]);
  expect(rulesOf({ ...sensor, births: [{ valid_from: 5, value: { place } }] }, 60).period_s).toEqual([
    { from: always, value: 60 },
  ]);
  const spoken: SensorRecord = {
    ...sensor,
    births: [
      { valid_from: 100, value: { place, period_s: 10 } },
      { valid_from: 200, value: { place, period_s: 30 } },
    ],
    overrides: { period_s: [{ valid_from: 300, value: 600 }] },
  };
  expect(rulesOf(spoken, 60).period_s).toEqual([
    { from: always, value: 10 },
    { from: 200, value: 30 },
    { from: 300, value: 600 },
  ]);
});

test("a rollover counts from the time it was declared for", () => {
  const rollovers = { volume_total: [{ valid_from: 100, value: 1000 }] };
  expect(rulesOf({ ...sensor, rollovers, replacements: [7] }, 60)).toMatchObject({
    rollovers: {
      volume_total: [
        { from: always, value: null },
        { from: 100, value: 1000 },
      ],
    },
    replacements: [7],
  });
});

test("the registry is asked once a series, and again after a change; sensors that are alike share their rules", () => {
  let record = sensor;
  let asked = 0;
  const listeners: SensorListener[] = [];
  const of = sensorRules(
    {
      record: () => {
        asked += 1;
        return record;
      },
      onChange: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    (series) => ({ series, measurement: "water_flow", agency: "water", sensor: "wm-1" }),
  );
  expect(of(1, { period_s: 60 })).toBe(of(2, { period_s: 60 }));
  of(1, { period_s: 60 });
  expect(asked).toBe(2);
  record = { ...sensor, births: [{ valid_from: 0, value: { place, period_s: 5 } }] };
  for (const listener of listeners) listener([], new Set());
  expect(of(1, { period_s: 60 }).period_s[0]?.value).toBe(5);
});

function kept(days: object): boolean {
  return PlatformConfig.safeParse({ rollup_1m_days: 30, ...days }).success;
}

test("a coarser roll-up that would be forgotten before the finer one is refused", () => {
  expect(kept({ rollup_1h_days: 400, rollup_1d_days: 4000 })).toBe(true);
  expect(kept({})).toBe(true);
  expect(kept({ rollup_1h_days: 29 })).toBe(false);
  expect(PlatformConfig.safeParse({ rollup_1h_days: 400 }).success).toBe(false);
  expect(kept({ rollup_1h_days: 400, rollup_1d_days: 399 })).toBe(false);
});
