import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FieldLayout, FieldReading, FieldScanner, maxFields } from "#edge-agent/filters/field-scanner.ts";
import { formatReading } from "#edge-agent/filters/line-output.ts";
import { readLine } from "#telemetry/line-protocol/oracle.ts";
import { payloads } from "../../telemetry/lines.ts";
import { bytesOf, catalogue, resolve, trial } from "../../telemetry/support.ts";

const { context } = trial();
const scanner = new FieldScanner();
/** What the platform refuses for other reasons than how a line is written. */
const wellWritten = ["out-of-range", "wrong-type", "future", "too-old"];

interface Scanned {
  readonly time: number;
  readonly fields: Record<string, number>;
}

function line(from: number, count: number): Uint8Array {
  return bytesOf(`${Array.from({ length: count }, (_, i) => `f${from + i}=${i}`).join(",")} 5`);
}

/** A line of a known measurement, as the filters see it; undefined: it passes them untouched. */
function scan(line: string): Scanned | undefined {
  const measurement = catalogue.measurements.find(({ name }) => line.startsWith(`${name},`));
  const fieldsStart = line.indexOf(" ") + 1;
  if (measurement === undefined || fieldsStart === 0) return undefined;
  const layout = new FieldLayout(new Set(measurement.fields.map(({ name }) => name)));
  const reading = new FieldReading();
  const bytes = bytesOf(line);
  const start = bytesOf(line.slice(0, fieldsStart)).length;
  if (!scanner.scan(bytes, start, bytes.length, layout, reading)) return undefined;
  const fields: Record<string, number> = {};
  for (let i = 0; i < reading.count; i += 1) fields[layout.names[reading.slots[i]!]!] = reading.values[i]!;
  return { time: reading.time, fields };
}

/** The same by the platform's grammar; the reason when it refuses the line. */
function oracle(line: string): Scanned | string {
  const read = readLine(line, resolve, context);
  if ("reason" in read) return read.reason;
  const { fields } = catalogue.measurements[read.measurement]!;
  const named = Array.from(read.values, ([index, value]) => [fields[index]!.name, value]);
  return { time: read.time, fields: Object.fromEntries(named) };
}

function isPlain(line: string): boolean {
  const names = [...line.slice(line.indexOf(" ")).matchAll(/[ ,]([^ ,=]+)=/g)].map(([, name]) => name);
  return new Set(names).size === names.length && / \d{1,15}$/.test(line);
}

describe("the filters' scanner", () => {
  test("reads what the platform reads, and leaves to it whatever is written otherwise", () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const lines = Buffer.from(payload).toString().split("\n");
        // The key is not its office.
        for (const line of lines.map((text) => text.replace(/^(\w+)[^ ]*/, "$1,sensor=s-1"))) {
          const seen = scan(line);
          const right = oracle(line);
          const isRefused = typeof right === "string";
          const expected = isPlain(line) && !isRefused ? right : undefined;
          expect(isRefused && wellWritten.includes(right) ? undefined : seen).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("learns the fields of an unknown measurement, up to a bound", () => {
    const layout = new FieldLayout();
    const reading = new FieldReading();
    const many = line(0, maxFields);
    expect(scanner.scan(many, 0, many.length, layout, reading)).toBe(true);
    expect(reading.count).toBe(maxFields);
    const more = line(maxFields, 1);
    expect(scanner.scan(more, 0, more.length, layout, reading)).toBe(false);
    const again = line(3, 4);
    expect(scanner.scan(again, 0, again.length, layout, reading)).toBe(true);
    expect([...reading.slots.subarray(0, 4)]).toEqual([3, 4, 5, 6]);
  });

  test("and the filters' own lines say the same", () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(values, fc.nat({ max: 8e14 }), (given, time) => {
        const layout = new FieldLayout();
        const reading = new FieldReading();
        reading.time = time;
        for (const [index, value] of given.entries()) reading.add(layout.add(`f${index}`), value, 0);
        const line = bytesOf(formatReading("m,sensor=a", reading, layout).slice("m,sensor=a ".length));
        const read = new FieldReading();
        expect(scanner.scan(line, 0, line.length, layout, read)).toBe(true);
        expect(read.time).toBe(time);
        // "0" is what JavaScript makes of -0.
        expect([...read.values.subarray(0, read.count)]).toEqual(given.map((value) => value + 0));
      }),
    );
  });
});
