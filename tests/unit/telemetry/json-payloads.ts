import * as fc from "fast-check";
import type { Field } from "#telemetry/catalogue.ts";
import { numbers, oddValues } from "./lines.ts";
import { bytesOf, catalogue, day, minute, now } from "./support.ts";

/** A text that is seldom something else. */
const mostly = (
  usual: fc.Arbitrary<string>,
  other: fc.Arbitrary<string>,
  weight = 200,
): fc.Arbitrary<string> => fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: other });

const blank = mostly(
  fc.constantFrom("", "", "", " "),
  fc.constantFrom("\t", "\r\n", "\n  ", " \t", "\f", "\u00a0", "\v", "\u0001", "/**/"),
);

/** A text in quotes; seldom with escapes or without a quote. */
const quotedText = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(text, fc.nat(600)).map(([plain, way]) => {
    if (way === 0) return `"\\u${plain.charCodeAt(0).toString(16).padStart(4, "0")}${plain.slice(1)}"`;
    if (way === 1) return `"${plain}\\n"`;
    if (way === 2) return `"${plain}`;
    if (way === 3) return `'${plain}'`;
    if (way === 4) return `"${plain}é"`;
    if (way === 5) return `"${plain}\u0007"`;
    if (way === 6) return `"${plain}\u007f"`;
    return JSON.stringify(plain);
  });

/** What may stand where a number or text is wanted, as JSON or not. */
const anything = fc.oneof(
  fc.constantFrom(
    "null",
    "{}",
    "[]",
    "[1]",
    '{"a":1}',
    "true",
    "false",
    '""',
    '"x"',
    "tru",
    "nul",
    "trueish",
    "",
  ),
  fc.constantFrom(...oddValues),
);

/** A value that the field takes, in any spelling; seldom another. */
function valueOf({ type, physical }: Field): fc.Arbitrary<string> {
  if (type === "boolean") return mostly(fc.constantFrom("true", "false"), anything, 60);
  const low = physical[0] ?? -1000;
  const high = physical[1] ?? low + 2000;
  const good = fc.nat(1000).map((n) => low + ((high - low) * n) / 1000);
  const spelled = fc.tuple(good, fc.nat(6)).map(([n, way]) => {
    if (type === "integer") return way === 0 ? `${Math.floor(n)}.0` : String(Math.floor(n));
    if (way === 0) return n.toExponential();
    return way === 1 ? n.toExponential().toUpperCase() : String(n);
  });
  return mostly(spelled, fc.oneof(numbers, anything), 60);
}

/** An object of these pairs, as they stand, with blanks between. */
function objectText(pairs: fc.Arbitrary<(readonly [string, string])[]>): fc.Arbitrary<string> {
  return fc.tuple(pairs, blank, blank, blank, fc.nat(400)).map(([all, a, b, c, way]) => {
    const inner = all.map(([key, value]) => `${key}${a}:${b}${value}`).join(`${c},${b}`);
    if (way === 0) return `{${inner},}`;
    if (way === 1) return `{,${inner}}`;
    if (way === 2) return `{${inner}`;
    return `{${b}${inner}${c}}`;
  });
}

const sensor = mostly(
  fc.nat(20).map((n) => `s-${n}`),
  fc.constantFrom(
    "f-1",
    "r-1",
    "u-1",
    "",
    "-x",
    "a".repeat(64),
    "a".repeat(65),
    "ح",
    "x,sensor=y",
    "a b",
    "A.b_C:d-9",
  ),
);

const instant = fc.integer({ min: now - 400 * day, max: now + 5 * minute });
const textTime = fc
  .tuple(
    instant,
    mostly(
      fc.constantFrom("Z", "+03:00", "-05:30", "+00:00"),
      fc.constantFrom("z", "", "+24:00", "+0300", "+01:60"),
      20,
    ),
    fc.nat(9),
    fc.nat(80),
  )
  .map(([at, zone, digits, way]) => {
    const text = new Date(at).toISOString().slice(0, 19);
    const fraction = digits === 0 ? "" : `.${String(at).repeat(2).slice(0, digits)}`;
    const whole = `${text}${fraction}${zone}`;
    if (way === 0) return whole.replace("T", " ");
    if (way === 1) return whole.replace("T", "t");
    if (way === 2) return whole.replace(/-\d\dT/, "-31T");
    if (way === 3) return whole.replace(/T\d\d/, "T24");
    if (way === 4) return whole.replace(/:\d\d:/, ":60:");
    if (way === 5) return whole.replace(/^\d{4}/, "0025");
    if (way === 6) return whole.replace(/\./, ".0000000000");
    if (way === 7) return whole.replace(/(\d)(\D)/, "$2$1");
    return whole;
  });
const time = fc.oneof(
  { weight: 60, arbitrary: instant.map(String) },
  { weight: 30, arbitrary: quotedText(textTime) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "0",
      "-5",
      `${now + 5 * minute + 1}`,
      `${now - 400 * day - 1}`,
      `${now}000`,
      `${now}0000`,
      `0${now}`,
      `+${now}`,
      `${now}.0`,
      `${now}.5`,
      `${now}e0`,
      `${now}i`,
      `"${now}"`,
      '"now"',
      "1763860e6",
      "null",
      "9".repeat(400),
    ),
  },
);

/** One of the catalogue's measurements with fields that are mostly right. */
const content = fc.constantFrom(...catalogue.measurements).chain(({ name, fields }) =>
  fc.tuple(
    fc.constant(name),
    fc
      .oneof(
        { weight: 60, arbitrary: fc.shuffledSubarray([...fields], { minLength: 1 }) },
        { weight: 1, arbitrary: fc.array(fc.constantFrom(...fields), { maxLength: 5 }) },
      )
      .chain((some) =>
        fc.tuple(
          ...some.map((field) =>
            fc.tuple(
              mostly(
                quotedText(fc.constant(field.name)),
                quotedText(fc.constantFrom("speed", "", "__proto__", "vehicles")),
              ),
              valueOf(field),
            ),
          ),
        ),
      ),
  ),
);

const envelope = content.chain(([measurement, fields]) => {
  const pairs: fc.Arbitrary<(readonly [string, string])[]> = fc
    .tuple(
      quotedText(mostly(fc.constant(measurement), fc.constantFrom("nope", "constructor", ""))),
      quotedText(sensor),
      time,
      mostly(objectText(fc.constant(fields)), anything),
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4, maxLength: 4 }),
      fc.nat(200),
    )
    .map(([m, s, t, f, order, way]) => {
      const known: (readonly [string, string])[] = [
        ['"measurement"', m],
        ['"sensor"', s],
        ['"time"', t],
        ['"fields"', f],
      ];
      const all = order.map((at) => known[at]!);
      if (way === 0) all.pop();
      if (way === 1) all.push(known[order[0]!]!);
      if (way === 2) all.push(['"time"', String(now)]);
      if (way === 3) all.push(['"unit"', '"km/h"']);
      if (way === 4) all.push(['"readings"', "[]"]);
      if (way === 5) all.push(['"fields"', '{"vehicles":1}']);
      return all;
    });
  return objectText(pairs);
});

const arrayOf = (element: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.array(element, { maxLength: 6 }), blank, blank, fc.nat(80)).map(([all, a, b, way]) => {
    const inner = all.join(`${a},${b}`);
    if (way === 0) return `[${inner},]`;
    if (way === 1) return `[${inner}`;
    if (way === 2) return `[${inner}]x`;
    if (way === 3) return `\ufeff[${inner}]`;
    return `${a}[${b}${inner}${a}]${b}`;
  });

/** Payloads of `up/json`, most of them good. */
export const envelopes: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    { weight: 2, arbitrary: envelope },
    { weight: 8, arbitrary: arrayOf(mostly(envelope, anything, 200)) },
    {
      weight: 2,
      arbitrary: objectText(fc.tuple(fc.constant('"readings"'), arrayOf(envelope)).map((pair) => [pair])),
    },
    {
      weight: 1,
      arbitrary: objectText(
        fc.tuple(arrayOf(envelope), anything).map(([all, other]) => [
          ['"readings"', all],
          ['"x"', other],
        ]),
      ),
    },
  )
  .map(bytesOf);

const seconds = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.integer({ min: -400 * day, max: 5 * minute }).map((ms) => String((now + ms) / 1000)),
  },
  { weight: 6, arbitrary: fc.integer({ min: -100, max: 30 }).map((ms) => String(ms / 10)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "0",
      "-0",
      "268435455",
      "268435456",
      "1e999",
      "-1e999",
      "-1e9",
      "1763860000.0005",
      "1763860000000",
    ),
  },
);

const unit = mostly(
  fc.constantFrom(
    "km/h",
    "m/s",
    "count",
    "Cel",
    "K",
    "%RH",
    "/",
    "/100",
    "kW",
    "W",
    "L/s",
    "m3/s",
    "",
    "kWh",
    "1",
  ),
  fc.constantFrom("furlong", "x".repeat(64), "x".repeat(65), "constructor", "ح"),
);

/** A record that says too much, or something else. */
const oddLabels: readonly (readonly [string, string])[] = [
  ['"v"', "1"],
  ['"s"', "5"],
  ['"ut"', "5"],
  ['"x_"', "5"],
  ['"bver"', "10"],
  ['"vs"', '"a"'],
  ['"bs"', "1"],
  ['"vb"', "true"],
  ['"link"', '{"a":[1,{}]}'],
  ['"bn"', JSON.stringify("x".repeat(256))],
  ['"n"', "5"],
  ['"t"', "0"],
  ['"n"', '"vehicles"'],
];

const option = (text: fc.Arbitrary<string>, freq: number) => fc.option(text, { nil: undefined, freq });

/** What one record says; `place` and `field` in one of the ways to share a name between base name and name. */
const recordOf = (id: string, measurement: string, field: Field): fc.Arbitrary<string> => {
  const { name: fieldName } = field;
  const names = fc.constantFrom<readonly [string | undefined, string | undefined]>(
    [`${id}/${measurement}/`, fieldName],
    [`${id}/${measurement}/`, fieldName],
    [`${id}/${measurement}/`, fieldName],
    [`${id}/${measurement}/${fieldName}`, undefined],
    [`${id}/`, `${measurement}/${fieldName}`],
    ["", `${id}/${measurement}/${fieldName}`],
    [`${id}/${measurement}/${fieldName.slice(0, 2)}`, fieldName.slice(2)],
    [`${id}/${measurement}`, `/${fieldName}`],
    [`${id}:`, "flow"],
    [undefined, `${id}.temp`],
  );
  const followUps = fc.constantFrom<readonly [string | undefined, string | undefined]>(
    [undefined, fieldName],
    [undefined, undefined],
    [undefined, `${id}/${measurement}/${fieldName}`],
    [`${id}:`, fieldName],
    [`${id}/${measurement}/${fieldName}`, "/x"],
    [`${id}/nope/`, fieldName],
  );
  return objectText(
    fc
      .tuple(
        fc.oneof({ weight: 12, arbitrary: names }, { weight: 1, arbitrary: followUps }),
        option(seconds, 1),
        option(seconds, 1),
        option(quotedText(mostly(fc.constant(field.unit), unit, 8)), 2),
        mostly(valueOf(field), fc.constant(""), 100),
        fc.constantFrom("1", "0", "-0", "0.5", "-1"),
        fc.nat(600),
        fc.nat(8),
      )
      .map(([[base, name], bt, t, u, v, bv, way, turn]) => {
        const labels: (readonly [string, string])[] = [];
        if (base !== undefined) labels.push(['"bn"', JSON.stringify(base)]);
        if (bt !== undefined) labels.push(['"bt"', bt]);
        if (way < 20) labels.push(['"bv"', bv]);
        if (way >= 590) labels.push(['"bu"', JSON.stringify(field.unit)]);
        if (name !== undefined) labels.push(['"n"', JSON.stringify(name)]);
        if (u !== undefined) labels.push(['"u"', u]);
        if (v !== "") labels.push([field.type === "boolean" ? '"vb"' : '"v"', v]);
        if (t !== undefined) labels.push(['"t"', t]);
        if (way > 100 && way - 100 <= oddLabels.length) labels.push(oddLabels[way - 101]!);
        return turn === 0 ? labels.toReversed() : labels;
      }),
  );
};

const anyRecord = fc
  .constantFrom(...catalogue.measurements)
  .chain(({ name, fields }) =>
    fc
      .tuple(
        fc.oneof({ weight: 5, arbitrary: fc.constantFrom("s-1", "s-2") }, sensor),
        fc.constantFrom(...fields),
      )
      .chain(([id, field]) => recordOf(id, name, field)),
  );

/** A sensor's fields under one base name, at one time or several. */
const run = fc
  .constantFrom(...catalogue.measurements)
  .chain(({ name, fields }) =>
    fc
      .tuple(
        sensor,
        fc.shuffledSubarray([...fields], { minLength: 1 }),
        seconds,
        fc.array(fc.integer({ min: -99, max: 0 }), { maxLength: 3 }),
      )
      .chain(([id, some, bt, times]) =>
        fc
          .tuple(
            ...times.flatMap((t) =>
              some.map((field) => fc.tuple(fc.constant(t), fc.constant(field), valueOf(field))),
            ),
          )
          .map((all) => [
            `{"bn":"${id}/${name}/","bt":${bt}}`,
            ...all.map(
              ([t, field, v]) =>
                `{"n":"${field.name}","${field.type === "boolean" ? "vb" : "v"}":${v},"t":${t}}`,
            ),
          ]),
      ),
  );

/** Payloads of `up/senml`, most of them good. */
export const packs: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    { weight: 3, arbitrary: arrayOf(mostly(anyRecord, anything)) },
    {
      weight: 1,
      arbitrary: fc.array(run, { minLength: 1, maxLength: 3 }).map((all) => `[${all.flat().join(",")}]`),
    },
  )
  .map(bytesOf);
