import * as fc from "fast-check";
import { aggregates, mathematics, transformations } from "./tables/fragments.ts";

/** Statements over the data set: what people and dashboards write, and combinations of it that nobody thought of. */

const times = [
  "2026-03-27T00:00:00Z",
  "2026-03-27T20:30:00Z",
  "2026-03-28T07:13:21.5Z",
  "2026-03-29T00:00:00Z",
  "2026-03-29T01:00:00Z",
  "2026-03-30T03:00:00Z",
  "2026-03-30T23:59:59.999Z",
  "2026-03-31T00:00:00Z",
];

const range = fc
  .tuple(
    fc.nat(times.length - 3),
    fc.nat(times.length - 1),
    fc.constantFrom(">", ">="),
    fc.constantFrom("<", "<="),
  )
  .map(([first, more, lower, upper]) => {
    const from = times[first] ?? "";
    const to = times[Math.min(first + 1 + (more % times.length), times.length - 1)] ?? "";
    return `time ${lower} '${from}' AND time ${upper} '${to}'`;
  });

const atom = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("speed", "vehicles"),
      fc.constantFrom(">", "<", ">=", "<=", "!=", "="),
      fc.integer({ min: -1, max: 80 }),
    )
    .map(([field, op, value]) => `${field} ${op} ${value}`),
  fc
    .tuple(
      fc.constantFrom("sensor", "municipality", "district", "role", "nothing"),
      fc.constantFrom("=", "!="),
      fc.constantFrom("tf-1", "tf-6", "QA-DA", "west bay", "main", ""),
    )
    .map(([tag, op, value]) => `${tag} ${op} '${value}'`),
  fc
    .tuple(
      fc.constantFrom("sensor", "municipality", "district", "corridor"),
      fc.constantFrom("=~", "!~"),
      fc.constantFrom("/tf-[1-3]/", "/DA$/", "/port|bay/", "/^$/", "/.*/", "/=/"),
    )
    .map(([tag, op, regex]) => `${tag} ${op} ${regex}`),
  fc.constantFrom(
    "open = true",
    "open = false",
    "speed > vehicles * 8",
    "vehicles % 3 = 1",
    "speed + vehicles < 60",
  ),
);
const condition: fc.Arbitrary<string> = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "small", maxDepth: 2 },
    atom,
    fc
      .tuple(tie("condition"), fc.constantFrom("AND", "OR"), tie("condition"))
      .map(([left, op, right]) => `(${left}) ${op} (${right})`),
  ),
})).condition;

function where(isBounded: boolean): fc.Arbitrary<string> {
  const optional = fc.option(condition, { nil: "", freq: 1 });
  return fc.tuple(isBounded ? range : fc.option(range, { nil: "" }), optional).map(([time, rest]) => {
    const parts = [time, rest === "" ? "" : `(${rest})`].filter((part) => part !== "");
    return parts.length === 0 ? "" : ` WHERE ${parts.join(" AND ")}`;
  });
}

const tagKeys = fc.subarray(["sensor", "municipality", "district", "role", "nothing"], { maxLength: 2 });
const order = fc.constantFrom("", "", " ORDER BY time DESC");
/** Of rows. Which series are the first InfluxDB says for each of its shards. */
const limits = fc.constantFrom("", "", "", " LIMIT 3", " LIMIT 5 OFFSET 2");
const zone = fc.constantFrom("", "", " tz('Europe/Berlin')", " tz('Asia/Qatar')");
const every = fc.constantFrom("1h", "3h", "5h", "12h", "1d", "2d", "30m", "7h", "1d, 6h", "6h, -1h", "1w");
const fill = fc.constantFrom(
  "",
  "",
  " fill(none)",
  " fill(previous)",
  " fill(linear)",
  " fill(0)",
  " fill(3.5)",
  " fill(null)",
);

interface Tail {
  readonly where: string;
  /** Of windows; undefined: none. */
  readonly every: string | undefined;
  readonly tags: readonly string[];
  readonly fill: string;
  readonly order: string;
  readonly limits: string;
  readonly zone: string;
}

/** With windows, or without. */
function tail(hasWindows: boolean): fc.Arbitrary<Tail> {
  return fc.record({
    where: where(hasWindows),
    every: hasWindows ? every : fc.constant(undefined),
    tags: tagKeys,
    fill: hasWindows ? fill : fc.constant(""),
    order,
    limits,
    zone,
  });
}
const anyTail = fc.boolean().chain(tail);

function statement(fields: string, source: string, tail: Tail): string {
  const { where, every, tags, fill, order, limits, zone } = tail;
  const dimensions = [...(every === undefined ? [] : [`time(${every})`]), ...tags];
  const groupBy = dimensions.length === 0 ? "" : ` GROUP BY ${dimensions.join(", ")}`;
  return `SELECT ${fields} FROM ${source}${where}${groupBy}${fill}${order}${limits}${zone}`;
}

const operand = fc.constantFrom("speed", "vehicles", "2", "0.5", "vehicles");
const rawField = fc.oneof(
  fc.constantFrom("speed", "vehicles", "open", "sensor", "district", "nothing", "speed AS v"),
  fc
    .tuple(operand, fc.constantFrom("+", "-", "*", "/"), fc.constantFrom("speed", "vehicles"))
    .map((parts) => parts.join(" ")),
  fc
    .tuple(
      fc.constantFrom(...mathematics.filter((call) => !/^(l|abs)/.test(call("")))),
      fc.constantFrom("speed", "vehicles"),
    )
    .map(([call, field]) => call(field)),
);
const rawFields = fc
  .tuple(fc.constantFrom("speed", "vehicles", "open"), fc.array(rawField, { maxLength: 2 }))
  .map(([first, more]) => [first, ...more].join(", "));

/** Where values are equal, which of them is the mode, and where a percentile stands, is by chance; integrals have tables of their own. */
const definite = aggregates.filter((call) => !/^(mode|integral|percentile)/.test(call));
const aggregate = fc.constantFrom(...definite);
const numberOf = fc.constantFrom(...definite.filter((call) => !call.includes("open")));
const aggregateField = fc.oneof(
  { arbitrary: aggregate, weight: 4 },
  {
    arbitrary: fc
      .tuple(numberOf, fc.constantFrom("+", "-", "*", "/"), fc.oneof(numberOf, fc.constantFrom("2", "0.5")))
      .map((parts) => parts.join(" ")),
    weight: 1,
  },
);
const aggregateFields = fc
  .array(aggregateField, { minLength: 1, maxLength: 3 })
  .map((fields) => fields.join(", "));

const severalFields = fc.constantFrom(
  "distinct(vehicles)",
  "top(speed, 3)",
  "bottom(vehicles, 2)",
  "top(speed, sensor, 2)",
  "top(vehicles, 2), speed",
  "bottom(speed, 1), sensor",
);
const selectorFields = fc
  .tuple(
    fc.constantFrom("max(speed)", "min(vehicles)", "first(speed)", "last(vehicles)", "max(vehicles)"),
    fc.subarray(["vehicles", "open", "sensor", "district"], { minLength: 1, maxLength: 2 }),
  )
  .map(([call, others]) => [call, ...others].join(", "));

const sequence = fc.constantFrom(...transformations);
/** Every statement of one level. */
const simple: fc.Arbitrary<string> = fc.oneof(
  {
    arbitrary: fc.tuple(rawFields, tail(false)).map(([fields, tail]) => statement(fields, "road", tail)),
    weight: 3,
  },
  {
    arbitrary: fc.tuple(aggregateFields, anyTail).map(([fields, tail]) => statement(fields, "road", tail)),
    weight: 5,
  },
  {
    arbitrary: fc
      .tuple(severalFields, anyTail)
      // InfluxDB counts rows that it reads for them.
      .map(([fields, tail]) => statement(fields, "road", { ...tail, limits: "" })),
    weight: 1,
  },
  {
    arbitrary: fc
      .tuple(selectorFields, anyTail)
      // InfluxDB puts the number of fill() into texts and booleans, too.
      .map(([fields, tail]) =>
        statement(fields, "road", { ...tail, fill: tail.fill.replace(/[0-9.]+/, "none") }),
      ),
    weight: 1,
  },
  {
    arbitrary: fc
      .tuple(sequence, fc.constantFrom("speed", "vehicles"), tail(false))
      .map(([call, field, tail]) => statement(call(field), "road", tail)),
    weight: 1,
  },
  {
    arbitrary: fc
      .tuple(sequence, numberOf, tail(true))
      .map(([call, of, tail]) => statement(call(of), "road", tail)),
    weight: 2,
  },
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "mean(flow)",
          "sum(flow), count(flow)",
          "*",
          "flow, pressure",
          "last(total)",
          "non_negative_derivative(max(total), 1h)",
        ),
        tail(true),
      )
      .map(([fields, tail]) =>
        statement(fields, "water", fields.includes("(") ? tail : { ...tail, every: undefined, fill: "" }),
      ),
    weight: 1,
  },
);
const outer = fc.constantFrom(
  "mean(x)",
  "max(x)",
  "sum(x)",
  "count(x)",
  "last(x)",
  "first(x)",
  "x",
  "x * 2",
  "difference(x)",
  "cumulative_sum(x)",
  "spread(x)",
  "top(x, 2)",
);
const wholeHalves = "time >= '2026-03-27T12:00:00Z' AND time < '2026-03-30T12:00:00Z'";
const ofQuery: fc.Arbitrary<string> = fc
  .record({
    fields: outer,
    inner: fc.oneof(
      numberOf.filter((call) => !call.startsWith("stddev")),
      fc.constantFrom("speed", "vehicles", "speed * 2"),
    ),
    inside: anyTail,
    outside: anyTail,
    time: range,
    isTimeInside: fc.boolean(),
    condition: fc.constantFrom("", "", "", " AND x > 3", " AND x != 2", " AND sensor =~ /1|2/"),
  })
  .map(({ fields, inner, inside, outside, time, isTimeInside, condition }) => {
    const isRaw = !inner.includes("(");
    const isSequence = ["x", "x * 2"].includes(fields) || /^(difference|cumulative_sum)/.test(fields);
    // What InfluxDB makes of fill(), tz() and limits in there, docs/influxql.md says; and both have one order.
    const within: Tail = {
      ...inside,
      where: isTimeInside ? inside.where : "",
      every: isRaw ? undefined : inside.every,
      fill: "",
      order: "",
      limits: "",
      zone: "",
    };
    // One window around windows that begin before the range: InfluxDB finds nothing.
    const isOneWindow = !isSequence && outside.every === undefined && within.every !== undefined;
    const around: Tail = {
      ...outside,
      where: ` WHERE ${isOneWindow ? wholeHalves : time}${condition}`,
      every: isSequence ? undefined : outside.every,
      tags: outside.tags.filter((tag) => inside.tags.includes(tag)),
      fill: isSequence ? "" : outside.fill,
      order: "",
      limits: isSequence || fields.startsWith("top") ? "" : outside.limits,
    };
    const source = statement(
      `${inner} AS x`,
      "road",
      isOneWindow ? { ...within, where: "", every: "3h" } : within,
    );
    return statement(fields, `(${source})`, around);
  });

export const query: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: simple, weight: 5 },
  { arbitrary: ofQuery, weight: 1 },
);
