import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeLines } from "#telemetry/line-protocol/oracle.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import { damagedPayloads, oddValues, payloads } from "./lines.ts";
import { bytesOf, catalogue, counted, resolve, trial } from "./support.ts";

const scanner = new LineScanner(catalogue);

/** What both make of a payload, read twice: the second time the scanner knows its series. */
function bothOf(bytes: Uint8Array, start = 0, end = bytes.length, seen?: (ordinal: number) => boolean) {
  const plain = trial(seen);
  const scanned = trial(seen);
  const index = new SeriesIndex();
  const counts = [0, 1].map(() => ({
    plain: decodeLines(bytes, start, end, resolve, plain.context),
    scanned: counted(scanner.scan(bytes, start, end, index, resolve, scanned.context)),
  }));
  return {
    plain: {
      counts: counts.map((both) => both.plain),
      rejections: plain.rejections,
      rows: plain.rows(),
      runs: plain.runs(),
    },
    scanned: {
      counts: counts.map((both) => both.scanned),
      rejections: scanned.rejections,
      rows: scanned.rows(),
      runs: scanned.runs(),
    },
  };
}

describe("the scanner and its oracle make the same of", () => {
  test("payloads of good, odd and bad lines", () => {
    fc.assert(
      fc.property(payloads, (bytes) => {
        const { plain, scanned } = bothOf(bytes);
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 1000 },
    );
  });

  test("damaged payloads", () => {
    fc.assert(
      fc.property(damagedPayloads, (bytes) => {
        const { plain, scanned } = bothOf(bytes);
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 1500 },
    );
  });

  test("any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { plain, scanned } = bothOf(bytes);
        expect(scanned).toStrictEqual(plain);
      }),
    );
  });

  test("a part of a larger buffer", () => {
    fc.assert(
      fc.property(damagedPayloads, fc.nat(), fc.nat(), (bytes, a, b) => {
        const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y) as [
          number,
          number,
        ];
        const { plain, scanned } = bothOf(bytes, start, end);
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 500 },
    );
  });

  test("payloads some of whose readings were kept before", () => {
    fc.assert(
      fc.property(damagedPayloads, fc.uniqueArray(fc.nat(12)), (bytes, kept) => {
        const { plain, scanned } = bothOf(bytes, 0, bytes.length, (ordinal) => kept.includes(ordinal));
        expect(scanned).toStrictEqual(plain);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    "traffic_flow,sensor=s-1 vehicles",
    "valve,sensor=s-1 open",
    "valve,sensor=s-1 cycles",
    "valve,sensor=s-1 torque",
  ])("every odd value of %s", (key) => {
    const lines = oddValues.map((value) => `${key}=${value} 1763860000000`);
    const cut = lines.flatMap((line) => Array.from(line, (_, end) => line.slice(0, end)));
    for (const payload of [lines.join("\n"), lines.join("\r\n"), cut.join("\n")]) {
      const { plain, scanned } = bothOf(bytesOf(payload));
      expect(scanned).toStrictEqual(plain);
    }
  });
});

test("they make the same of a line that ends anywhere", () => {
  const line = "valve,sensor=s-1 open=true,cycles=31i,cycles_left=-7,torque=-1.25e-3 1763860000000\r\n";
  for (let end = 0; end <= line.length; end += 1) {
    const { plain, scanned } = bothOf(bytesOf(line.slice(0, end)));
    expect(scanned).toStrictEqual(plain);
  }
});

function scannedNumber(text: string): unknown {
  const { context, rows } = trial();
  const line = bytesOf(`valve,sensor=s-1 torque=${text} 1763860000000`);
  scanner.scan(line, 0, line.length, new SeriesIndex(), resolve, context);
  return rows()["valve"]?.[0]?.values["torque"];
}

test("numbers of 16 to 19 digits are rounded as JavaScript rounds them", () => {
  const digits = fc.stringMatching(/^[0-9]{16,19}$/);
  fc.assert(
    fc.property(digits, fc.nat(25), fc.boolean(), (whole, decimals, negative) => {
      const padded = whole.padStart(decimals + 1, "0");
      const point = padded.length - decimals;
      const fraction = decimals === 0 ? "" : `.${padded.slice(point)}`;
      const text = `${negative ? "-" : ""}${padded.slice(0, point)}${fraction}`;
      expect(scannedNumber(text)).toBe(Number(text));
    }),
    { numRuns: 5000 },
  );
});

test("numbers at and next to the middle between two doubles go to the right one", () => {
  // From 2^53 to 2^56 doubles are 2, 4, 8 apart, so their middles are whole numbers; divided by a power of 2 they have few decimals.
  const middle = fc
    .tuple(fc.bigInt(2n ** 52n, 2n ** 53n - 2n), fc.nat(2), fc.integer({ min: -1, max: 1 }), fc.nat(4))
    .map(([significand, spacing, off, halvings]) => {
      const whole = (2n * significand + 1n) * 2n ** BigInt(spacing) + BigInt(off);
      const decimal = (whole * 5n ** BigInt(halvings)).toString().padStart(halvings + 1, "0");
      const point = decimal.length - halvings;
      return halvings === 0 ? decimal : `${decimal.slice(0, point)}.${decimal.slice(point)}`;
    });
  fc.assert(
    fc.property(middle, (text) => {
      expect(scannedNumber(text)).toBe(Number(text));
    }),
    { numRuns: 3000 },
  );
});

test("sensors and fields that come in another order each time are all taken", () => {
  const names = ["open", "cycles", "cycles_left", "torque"];
  const line = fc
    .tuple(fc.nat(3), fc.shuffledSubarray(names, { minLength: 1 }))
    .map(
      ([sensor, fields]) =>
        `valve,sensor=s-${sensor} ${fields.map((name) => `${name}=${name === "open" ? "t" : "7"}`).join(",")} 1763860000000`,
    );
  fc.assert(
    fc.property(fc.array(line, { minLength: 2, maxLength: 30 }), (lines) => {
      const { plain, scanned } = bothOf(bytesOf(lines.join("\n")));
      expect(scanned).toStrictEqual(plain);
    }),
  );
});

test("every accepted number is the double that JavaScript reads", () => {
  const spelling = fc.oneof(
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map(String)
      .filter((text) => !text.includes("Infinity")),
    fc.stringMatching(/^-?[0-9]{1,25}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?$/),
  );
  fc.assert(
    fc.property(spelling, (text) => {
      const { context, rows, rejections } = trial();
      const line = bytesOf(`valve,sensor=s-1 torque=${text} 1763860000000`);
      scanner.scan(line, 0, line.length, new SeriesIndex(), resolve, context);
      expect(rejections).toStrictEqual([]);
      expect(rows()["valve"]?.[0]?.values["torque"]).toBe(Number(text));
    }),
    { numRuns: 5000 },
  );
});
