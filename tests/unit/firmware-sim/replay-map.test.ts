import * as fc from "fast-check";
import { expect, test } from "vitest";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import { parseMap } from "#firmware-sim/replay-map.ts";

test("a map names a field, a column and, after @, a sensor", () => {
  expect(parseMap("traffic_flow.vehicles=traffic_volume@i94", builtinCatalogue)).toEqual({
    ok: true,
    map: { measurement: "traffic_flow", field: "vehicles", column: "traffic_volume", sensor: "i94" },
  });
});

test("without a sensor it is named after the column", () => {
  expect(parseMap("water_flow.flow=Inflow DMA 3 (L/s)", builtinCatalogue)).toMatchObject({
    map: { column: "Inflow DMA 3 (L/s)", sensor: "inflow-dma-3-l-s" },
  });
});

test("a column may hold = and @", () => {
  expect(parseMap("water_flow.flow=a=b@c d@x", builtinCatalogue)).toMatchObject({
    map: { column: "a=b@c d", sensor: "x" },
  });
  expect(parseMap("water_flow.flow=a@b c", builtinCatalogue)).toMatchObject({
    map: { column: "a@b c", sensor: "a-b-c" },
  });
});

test.each([
  ["traffic.vehicles=x", 'no measurement "traffic"'],
  ["traffic_flow.cars=x", 'no field "cars"'],
  ["traffic_flow.vehicles=", "expected MEASUREMENT.FIELD=COLUMN"],
  ["vehicles=x", "expected MEASUREMENT.FIELD=COLUMN"],
  ["traffic_flow.vehicles=عدد", "add @SENSOR"],
])("%s is refused with the reason", (text, reason) => {
  expect(parseMap(text, builtinCatalogue)).toMatchObject({
    ok: false,
    detail: expect.stringContaining(reason),
  });
});

test("no text makes it throw", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `water_flow.flow=${rest}`),
  );
  fc.assert(
    fc.property(text, (map) => {
      expect(parseMap(map, builtinCatalogue)).toHaveProperty("ok");
    }),
  );
});
