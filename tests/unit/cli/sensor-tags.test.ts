import { expect, test } from "vitest";
import { tagVersions } from "#cli/platform/sensor-tags.ts";
import { addSensor, override } from "#ingest/registry/operator.ts";
import { newSensor, type SensorRecord } from "#ingest/registry/sensor-record.ts";

const sensor = newSensor({ name: "gw-1", agency: "water" }, "wf-1", 0);

test("a sensor's tags change when births or operators say so, and only then", () => {
  const record: SensorRecord = {
    ...sensor,
    births: [
      { valid_from: 100, value: { place: "QA-DA-msheireb", role: "dma_in", dma: "D7", period_s: 10 } },
      { valid_from: 200, value: { place: "QA-DA-msheireb", role: "dma_in", dma: "D7", period_s: 60 } },
      { valid_from: 300, value: { place: "QA-RA", role: "dma_in" } },
    ],
    overrides: { site: [{ valid_from: 250, value: "Tower 2" }] },
  };
  const first = { municipality: "QA-DA", district: "QA-DA-msheireb", role: "dma_in", dma: "D7" };
  expect(tagVersions(record)).toEqual([
    { from: Number.NEGATIVE_INFINITY, tags: first },
    { from: 250, tags: { ...first, site: "Tower 2" } },
    { from: 300, tags: { municipality: "QA-RA", site: "Tower 2", role: "dma_in" } },
  ]);
});

test("what is no tag changes nothing: position, period, limits", () => {
  const place = "QA-DA";
  const births = [
    { valid_from: 1, value: { place, position: [51.5, 25.3] as [number, number] } },
    { valid_from: 2, value: { place, period_s: 5, nominal_v: 240 } },
  ];
  expect(tagVersions({ ...sensor, births })).toEqual([
    { from: Number.NEGATIVE_INFINITY, tags: { municipality: "QA-DA" } },
  ]);
});

test("a sensor that an operator added, and no gateway ever announced, has tags at all times", () => {
  const gateway = { name: "gw-1", agency: "water" };
  const description = { attributes: { place: "QA-DA", dma: "D7" }, rollovers: {} };
  const added = addSensor(undefined, gateway, "wf-2", description, 500);
  const tags = { municipality: "QA-DA", dma: "D7" };
  expect(tagVersions(added)).toEqual([{ from: Number.NEGATIVE_INFINITY, tags }]);
  expect(tagVersions(override(added, { attributes: { dma: "D8" }, rollovers: {} }, 700))).toEqual([
    { from: Number.NEGATIVE_INFINITY, tags },
    { from: 700, tags: { ...tags, dma: "D8" } },
  ]);
});
