import * as fc from "fast-check";
import { expect, test } from "vitest";
import { InfluxqlError } from "#store/influxql/errors.ts";
import { parse } from "#store/influxql/parser.ts";
import { print } from "#store/influxql/print.ts";
import { generatedStatement, withoutPlaces } from "./generated-statements.ts";

test("what is printed of a statement is parsed to the same statement", () => {
  fc.assert(
    fc.property(generatedStatement, (statement) => {
      expect(withoutPlaces(parse(print(statement)))).toEqual([withoutPlaces(statement)]);
    }),
    { numRuns: 500 },
  );
});

/** Parsed, or refused in words. */
function isReadable(text: string): boolean {
  try {
    return parse(text, { params: { a: 1, b: { regex: "x" }, c: "'", d: { nonsense: 1 } } }).length >= 0;
  } catch (error) {
    if (!(error instanceof InfluxqlError)) throw error;
    return error.message !== "";
  }
}

test("no text makes the parser throw anything but its own error", () => {
  const pieces =
    "SELECT FROM WHERE GROUP BY time( ) ( , ; ' \" / \\ -- /* */ * :: . $a $b $c $d $ 1h 1 1.5 - =~ fill( tz('UTC') ORDER SHOW TAG VALUES WITH KEY IN µ | \n \r";
  const piece = fc.constantFrom(...pieces.split(" "), " ");
  const anything = fc.string({ unit: "binary", maxLength: 60 });
  fc.assert(
    fc.property(anything, (text) => {
      expect(isReadable(text)).toBe(true);
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      expect(isReadable(pieces.join(""))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test("no damage to a good query does either", () => {
  fc.assert(
    fc.property(
      generatedStatement,
      fc.nat(),
      fc.nat(4),
      fc.string({ maxLength: 3 }),
      (statement, from, length, put) => {
        const text = print(statement);
        const at = from % (text.length + 1);
        expect(isReadable(text.slice(0, at) + put + text.slice(at + length))).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
