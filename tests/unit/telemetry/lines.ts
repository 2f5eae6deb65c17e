import * as fc from "fast-check";
import { bytesOf, catalogue, day, minute, now } from "./support.ts";

/** Numbers in every spelling, right and wrong. */
export const numbers = fc.oneof(
  { weight: 4, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  {
    weight: 4,
    arbitrary: fc
      .float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 })
      .map((x) => x.toFixed(2)),
  },
  { weight: 4, arbitrary: fc.nat(300).map(String) },
  { weight: 2, arbitrary: fc.maxSafeInteger().map((n) => `${n}i`) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 80n }).map((n) => `${n}u`) },
  { weight: 1, arbitrary: fc.tuple(fc.bigInt(0n, 2n ** 70n), fc.nat(400)).map(([m, e]) => `${m}e-${e}`) },
  { weight: 2, arbitrary: fc.stringMatching(/^-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/) },
);

/** Spellings at the edges of the grammar, of doubles and of the types. */
export const oddValues = [
  ..."1e400 -1e400 1e-400 -0 0 00 007 -0.0 1e-320 4.9e-324 2.4703282292062327e-324 1.7976931348623157e308 1.7976931348623159e308".split(
    " ",
  ),
  ..."9007199254740991 9007199254740992 9007199254740993 9007199254740991i 9007199254740992i 9007199254740993u".split(
    " ",
  ),
  ..."900719925474099.3 9007199254740993e-2 9007199254740993e5 1e-23 3e23 0.1 0.30000000000000004 123456789012345678901234567890 1e22 1e23 1e+5 1E5 1e5i 1.0i 31i 31u -31u -31i".split(
    " ",
  ),
  ..."+5 .5 5. - -. . e5 1e 1e+ 1e- 0x10 1_000 1,5 --5 5- 5-3 1.2.3 i u 1ii 1iu".split(" "),
  ..."nan NaN NAN inf -inf +Inf Infinity -Infinity infinit INF null undefined".split(" "),
  ..."t T true True TRUE f F false False FALSE tRUE truee tr yes 1t".split(" "),
  '""',
  '"text"',
  '"a b"',
  '"a,b=1"',
  '"',
  '"\\"',
  "'x'",
  "٣",
  "1\u00a0",
  "",
];

const fieldValue = fc.oneof(
  { weight: 8, arbitrary: numbers },
  { weight: 2, arbitrary: fc.constantFrom(...oddValues) },
);

const sensor = fc.oneof(
  { weight: 10, arbitrary: fc.nat(20).map((n) => `s-${n}`) },
  { weight: 1, arbitrary: fc.constantFrom("f-1", "f-2", "r-1", "u-1", "u-2") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "-x",
      "a".repeat(64),
      "a".repeat(65),
      "a=b",
      "ح",
      "a\tb",
      "a\\ b",
      "x,sensor=y",
      "x,gateway=y",
      "A.b_C:d-9",
    ),
  },
);

const time = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: now - 400 * day, max: now + 5 * minute }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "0",
      "-5",
      `${now + 5 * minute + 1}`,
      `${now - 400 * day - 1}`,
      `${now}000000`,
      `0${now}`,
      `00000${now}`,
      `+${now}`,
      `${now}.5`,
      `${now} `,
      ` ${now}`,
      `${now}i`,
      "now",
      "1e12",
      "9".repeat(400),
      `${now}\r`,
      `\t${now}`,
    ),
  },
);

/** A line of a known measurement, mostly right. */
const line = fc
  .constantFrom(...catalogue.measurements)
  .chain((measurement) => {
    const name = fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(...measurement.fields.map((field) => field.name)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("", "speed", "time", "Vehicles", "vehicles_", "__proto__", "constructor"),
      },
    );
    const fields = fc.oneof(
      fc.array(fc.tuple(name, fieldValue), { minLength: 1, maxLength: 8 }),
      // In the catalogue's order, plausible: what sensors send.
      fc
        .array(fc.nat(100), { minLength: 1, maxLength: measurement.fields.length })
        .map((values) =>
          values.map((value, i): [string, string] => [measurement.fields[i]!.name, `${value / 100}`]),
        ),
    );
    return fc.record({
      key: fc.tuple(fc.constant(measurement.name), sensor).map(([m, s]) => `${m},sensor=${s}`),
      fields: fields.map((pairs) => pairs.map(([field, value]) => `${field}=${value}`).join(",")),
      time,
    });
  })
  .map((parts) => `${parts.key} ${parts.fields} ${parts.time}`);

const otherLine = fc.constantFrom(
  "",
  " ",
  "\t",
  "#",
  "# comment",
  " # comment",
  "#traffic_flow,sensor=s-1 vehicles=1 1",
  "\r",
  "\r\r",
  " \r",
  "\u0000",
  ",",
  "=",
  " =",
  "traffic_flow",

  "traffic_flow,sensor=s-1",
  "traffic_flow,sensor=s-1 ",
  "traffic_flow vehicles=1 1763860000000",
  "nope,sensor=s-1 a=1 1763860000000",

  "traffic_flow,sensor vehicles=1 1763860000000",
  "traffic_flow,=s-1 vehicles=1 1763860000000",
  "traffic_flow, vehicles=1 1763860000000",

  ",sensor=s-1 vehicles=1 1763860000000",
  "traffic_flow,sensor=s-1 vehicles=1",
  "traffic_flow,sensor=s-1 vehicles=1 ",
  "traffic_flow,sensor=s-1 vehicles=1, 1763860000000",

  "traffic_flow,sensor=s-1  vehicles=1 1763860000000",
  "  traffic_flow,sensor=s-1 vehicles=1 1763860000000",
  "\ufefftraffic_flow,sensor=s-1 vehicles=1 1763860000000",
);

/** Payloads of good, odd and bad lines. */
export const payloads = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 6, arbitrary: line }, { weight: 1, arbitrary: otherLine }),
      fc.oneof(
        { weight: 6, arbitrary: fc.constant("\n") },
        { weight: 2, arbitrary: fc.constant("\r\n") },
        { weight: 1, arbitrary: fc.constantFrom("", "\n\n", "\r", "\n\r\n") },
      ),
    ),
    { maxLength: 12 },
  )
  .map((lines) => bytesOf(lines.flat().join("")));

type Mutation = (bytes: number[]) => number[];

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(
    ([at, bit]): Mutation =>
      (bytes) =>
        bytes.with(at % bytes.length, bytes[at % bytes.length]! ^ (1 << bit)),
  ),
  fc.nat().map(
    (at): Mutation =>
      (bytes) =>
        bytes.slice(0, at % bytes.length),
  ),
  fc.nat().map(
    (at): Mutation =>
      (bytes) =>
        bytes.slice(at % bytes.length),
  ),
  fc.tuple(fc.nat(), fc.nat(40)).map(
    ([at, length]): Mutation =>
      (bytes) =>
        bytes.toSpliced(at % bytes.length, length),
  ),
  fc.tuple(fc.nat(), fc.nat(), fc.nat(80)).map(
    ([from, to, length]): Mutation =>
      (bytes) =>
        bytes.toSpliced(
          to % bytes.length,
          0,
          ...bytes.slice(from % bytes.length, (from % bytes.length) + length),
        ),
  ),
  fc
    .tuple(
      fc.nat(),
      fc.constantFrom(
        ...' |\t|\n|\r|#|,|=|+|-|.|0|1|5|9|e|E|i|u|n|t|f|T|F|"|\\|{|}|[|]|:|/'.split("|"),
        "\u0000",
        "é",
        "\u2028",
      ),
    )
    .map(
      ([at, text]): Mutation =>
        (bytes) =>
          bytes.toSpliced(at % bytes.length, 0, ...bytesOf(text)),
    ),
  fc.tuple(fc.nat(), fc.constantFrom(0x80, 0xc0, 0xed, 0xf5, 0xff)).map(
    ([at, byte]): Mutation =>
      (bytes) =>
        bytes.toSpliced(at % bytes.length, 0, byte),
  ),
);

/** Payloads that were damaged on their way. */
export function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(whole, fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([bytes, mutations]) =>
      Uint8Array.from(
        mutations.reduce<number[]>(
          (spoilt, mutate) => (spoilt.length === 0 ? spoilt : mutate(spoilt)),
          [...bytes],
        ),
      ),
    );
}

export const damagedPayloads = damaged(payloads);
