import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Decoder } from "#ingest/decoder.ts";
import { decodeAgain } from "#ingest/decode-again.ts";
import { firstLineEnd, headerError, readHeader } from "#ingest/numbering.ts";
import { partsByReason, rejectedLength } from "#ingest/refusals.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { ResolveSeries } from "#telemetry/decode.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { ReadingFormat } from "#telemetry/topic.ts";

const now = 1_763_860_000_000;
const tables = builtinCatalogue.measurements.map((measurement) => new ReadingTable(measurement));
/** Sensors "known…" are registered. */
const resolve: ResolveSeries = (_measurement, sensor) =>
  sensor.startsWith("known") ? { series: 0, gateway: 0 } : "unknown-sensor";
const decoder = new Decoder({
  catalogue: builtinCatalogue,
  tables,
  maxAge: 1e9,
  maxFuture: 1e5,
  resolve: () => resolve,
  deviceNames: () => (sensor) => (sensor === "known-2" ? { vehicles: "traffic_flow.vehicles" } : undefined),
});

function rows(): number {
  return tables.reduce((sum, table) => sum + table.length, 0);
}

function received(format: ReadingFormat, payload: Uint8Array): Parameters<typeof decoder.decode>[0] {
  return { agency: "a", gateway: 0, format, payload, start: 0, at: now };
}

const line = fc.constantFrom(
  `traffic_flow,sensor=known-1 vehicles=1 ${now}`,
  `traffic_flow,sensor=new-1 vehicles=1 ${now}`,
  "traffic_flow,sensor=known-1 vehicles=-1 1",
  "parkng,sensor=x a=1 1",
  "broken",
  "\r",
  "# comment",
  "",
  "  ",
  "\u00e9",
);
const linePayload = fc.array(line, { maxLength: 8 }).map((lines) => Buffer.from(lines.join("\n")));
const reading = fc.record({
  measurement: fc.constantFrom("traffic_flow", "parkng"),
  sensor: fc.constantFrom("known-1", "new-1", "no id!"),
  time: fc.constantFrom(now, 1),
  fields: fc.constantFrom({ vehicles: 1 }, { vehicles: -1 }, {}),
});
const element: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: reading },
  { weight: 1, arbitrary: fc.constantFrom(null, 5, "x", [], {}, [[]]) },
  { weight: 1, arbitrary: fc.array(reading, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.record({ readings: fc.array(reading, { maxLength: 3 }) }) },
);
const jsonPayload = fc
  .oneof(
    fc.array(element, { maxLength: 6 }),
    element,
    fc.record({ readings: fc.array(element, { maxLength: 6 }) }),
  )
  .chain((value) =>
    fc.constantFrom(JSON.stringify(value), JSON.stringify(value, null, 2), JSON.stringify(value).slice(1)),
  )
  .map((text) => Buffer.from(text));

const senmlRecord = fc.record(
  {
    bn: fc.constantFrom("", "known-1/traffic_flow/", "new-1/traffic_flow/"),
    n: fc.constantFrom(
      "vehicles",
      "speed_avg",
      "known-1/traffic_flow/vehicles",
      "known-2:vehicles",
      "new-2:x",
    ),
    t: fc.constantFrom(0, -1, -1e7, "now"),
    v: fc.constantFrom(1, -1, "one"),
  },
  { requiredKeys: [] },
);
const senmlPayload = fc.array(senmlRecord, { maxLength: 8 }).map((pack) => Buffer.from(JSON.stringify(pack)));

describe("what is cut out of a payload", () => {
  test.each([
    ["lp", linePayload],
    ["json", jsonPayload],
    ["senml", senmlPayload],
  ] as const)(
    "%s: parts hold every refused reading once, and decoding one again never upsets the account",
    (format, payloads) => {
      fc.assert(
        fc.property(payloads, (payload) => {
          const decoded = decoder.decode(received(format, payload));
          const { refused } = decoded.count;
          const parts = partsByReason(format, payload, decoded.rejections);
          expect(parts.reduce((sum, { readings }) => sum + readings, 0)).toBe(refused);
          for (const { reason, readings, bytes } of parts) {
            const before = rows();
            const again = decodeAgain({ decoder, tables }, received(format, bytes), readings);
            const { accepted = 0, refused: refusedAgain = readings } = again?.count ?? {};
            expect(rows() - before).toBe(accepted);
            expect(accepted + refusedAgain).toBe(readings);
            // What waits must be the same readings, for the same reason.
            const isSame = again?.rejections.every((rejection) => rejection.reason === reason) ?? false;
            expect(reason !== "unknown-sensor" || (isSame && accepted === 0)).toBe(true);
          }
        }),
        { numRuns: 500 },
      );
    },
  );

  test("the bytes are copies of their own, as long as foretold", () => {
    const payload = Buffer.from("broken\nx\nbroken too");
    const { rejections } = decoder.decode(received("lp", payload));
    const [part] = partsByReason("lp", payload, rejections);
    expect(rejectedLength(rejections, "unknown-measurement")).toBe(part!.bytes.length + 1);
    payload.fill(0);
    expect(Buffer.from(part!.bytes).toString()).toBe("broken\nx\nbroken too");
    expect(part!.bytes.buffer.byteLength).toBe(part!.bytes.length); // no pool goes to the journal's thread along with it
  });

  test("counting readings adds none, and counts bad ones", () => {
    const before = rows();
    expect(
      decoder.countReadings(
        received("lp", Buffer.from(`# c\ntraffic_flow,sensor=known-1 vehicles=1 ${now}\nbroken\n`)),
      ),
    ).toBe(2);
    expect(rows()).toBe(before);
  });
});

describe("a batch's header", () => {
  const header = "# marsad 1 outbox=6f1c0c8e-3f0e-4a39-8f7b-3a1f5f0f2a11 first=7 n=2\n";

  test("says something only if it counts right", () => {
    const payload = Buffer.from(`${header}a\nb\n`);
    const read = readHeader("lp", payload);
    expect(read).toMatchObject({ numbering: { first: 7, n: 2 }, error: undefined, bodyStart: header.length });
    expect(headerError(read, 2)).toBeUndefined();
    expect(headerError(read, 3)).toBe("the header says n=2, the batch has 3 readings");
    expect(firstLineEnd(payload)).toBe(header.length - 1);
  });

  test("is looked for in line protocol only, and a broken one has a reason", () => {
    expect(readHeader("json", Buffer.from(header)).numbering).toBeUndefined();
    const broken = readHeader("lp", Buffer.from("# marsad 1 outbox=me"));
    expect(broken).toMatchObject({ numbering: undefined, bodyStart: 0 });
    expect(headerError(broken, 0)).toMatch(/batch header/);
    expect(headerError(readHeader("lp", Buffer.from("# hello")), 5)).toBeUndefined();
    expect(firstLineEnd(Buffer.from("# marsad"))).toBe(8);
  });
});
