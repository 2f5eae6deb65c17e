import * as fc from "fast-check";
import type {
  Dimension,
  Expr,
  Fill,
  MeasurementSource,
  SelectField,
  SelectStatement,
  ShowStatement,
  Source,
  Statement,
} from "#store/influxql/ast.ts";

/** Any statement that `parse` can make. Sides of an operator stand in parentheses, as which of them binds stronger is the parser's to say. */
const at = fc.constant(0);
const name = fc.oneof(
  fc.constantFrom(
    "a",
    "value",
    "time_of_day",
    "select",
    "Fill",
    "tz",
    "water flow",
    'q"uo\\te',
    "é\nb",
    "_",
    "9x",
    "",
  ),
  fc.string({ unit: "binary", maxLength: 8 }).map((text) => text.replace(/\r/g, "")),
);
const regex = fc.constantFrom(
  "^a$",
  "a/b",
  "\\d+",
  "a\\/b",
  "x\\\\/y",
  "",
  "(?i)tf-.*",
  "[[:alpha:]/]",
  "\\$",
);
const nonEmptyName = name.filter((text) => text !== "");
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const duration = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const cast = fc.constantFrom("float", "integer", "unsigned", "string", "boolean", "field", "tag");

const literal: fc.Arbitrary<Expr> = fc.oneof(
  fc.record({ kind: fc.constant("integer"), value: int64, at }),
  fc.record({ kind: fc.constant("number"), value: finite, at }),
  fc.record({ kind: fc.constant("string"), value: name, at }),
  fc.record({ kind: fc.constant("boolean"), value: fc.boolean(), at }),
  fc.record({
    kind: fc.constant("duration"),
    ns: fc.oneof(
      duration,
      duration.map((ns) => -ns),
    ),
    at,
  }),
);
const reference: fc.Arbitrary<Expr> = fc.record(
  { kind: fc.constant("ref"), name, cast, at },
  { requiredKeys: ["kind", "name", "at"] },
);
const wildcard: fc.Arbitrary<Expr> = fc.record(
  { kind: fc.constant("wildcard"), of: fc.constantFrom("field", "tag"), at },
  { requiredKeys: ["kind", "at"] },
);
const regexExpr: fc.Arbitrary<Expr> = fc.record({ kind: fc.constant("regex"), regex, at });
const distinct: fc.Arbitrary<Expr> = fc.record({ kind: fc.constant("distinct"), field: name, at });

const arithmetic = ["+", "-", "*", "/", "%", "&", "|", "^"] as const;
const comparisons = ["=", "!=", "<", "<=", ">", ">=", "AND", "OR"] as const;
const inParentheses = (expr: Expr): Expr => (expr.kind === "binary" ? { kind: "paren", expr, at: 0 } : expr);

function expressions(
  ops: readonly ((typeof arithmetic)[number] | (typeof comparisons)[number])[],
): fc.Arbitrary<Expr> {
  return fc.letrec<{ expr: Expr }>((tie) => ({
    expr: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.oneof(literal, reference, wildcard),
      fc
        .record({ op: fc.constantFrom(...ops), left: tie("expr"), right: tie("expr") })
        .map(({ op, left, right }): Expr => ({
          kind: "binary",
          op,
          left: inParentheses(left),
          right: inParentheses(right),
          at: 0,
        })),
      fc.record({
        kind: fc.constant("call"),
        name: fc.oneof(
          fc.constantFrom("mean", "distinct", "now"),
          nonEmptyName.map((text) => text.toLowerCase()),
        ),
        args: fc.array(fc.oneof(tie("expr"), regexExpr, distinct), { maxLength: 3 }),
        at,
      }),
      tie("expr").map((expr): Expr => ({ kind: "paren", expr, at: 0 })),
    ),
  })).expr;
}

const value = expressions(arithmetic);
const condition = fc.oneof(
  expressions([...arithmetic, ...comparisons]),
  fc
    .record({ left: reference, op: fc.constantFrom("=~", "!~"), right: regexExpr })
    .map(({ left, op, right }): Expr => ({ kind: "binary", op, left, right, at: 0 })),
);

const measurement: fc.Arbitrary<MeasurementSource> = fc.record(
  {
    kind: fc.constant("measurement"),
    at,
    database: nonEmptyName,
    policy: nonEmptyName,
    name: fc.oneof(fc.record({ name }), fc.record({ regex })),
  },
  { requiredKeys: ["kind", "at", "name"] },
);
const field: fc.Arbitrary<SelectField> = fc.record(
  { expr: fc.oneof(value, regexExpr, distinct), alias: name },
  { requiredKeys: ["expr"] },
);
const dimension: fc.Arbitrary<Exclude<Dimension, { kind: "time" }>> = fc.oneof(
  fc.record({ kind: fc.constant("tag"), name: name.filter((text) => text.toLowerCase() !== "time"), at }),
  fc.record({ kind: fc.constant("regex"), regex, at }),
  fc.record({ kind: fc.constant("wildcard"), at }),
);
const timeDimension: fc.Arbitrary<Dimension> = fc.record(
  {
    kind: fc.constant("time"),
    every_ns: duration.map((ns) => ns + 1n - (ns === 2n ** 63n - 1n ? 1n : 0n)),
    offset: value,
    at,
  },
  { requiredKeys: ["kind", "every_ns", "at"] },
);
const fill: fc.Arbitrary<Fill> = fc.oneof(
  fc.record({ kind: fc.constantFrom("default", "null", "none", "previous", "linear") }),
  fc.record({ kind: fc.constant("number"), value: finite }),
);
const count = fc.oneof(fc.constant(0), fc.nat());
const zone = fc.constantFrom("Asia/Qatar", "Europe/Berlin", "UTC", "");

const select: fc.Arbitrary<SelectStatement> = fc.letrec<{ select: SelectStatement }>((tie) => ({
  select: fc.record(
    {
      kind: fc.constant("select"),
      fields: fc.array(field, { minLength: 1, maxLength: 3 }),
      sources: fc.array(
        fc.oneof(
          { depthSize: "small" },
          measurement,
          tie("select").map((statement): Source => ({ kind: "subquery", at: 0, statement })),
        ),
        { minLength: 1, maxLength: 2 },
      ),
      condition,
      dimensions: fc
        .tuple(fc.option(timeDimension), fc.array(dimension, { maxLength: 3 }))
        .map(([time, others]): Dimension[] => (time === null ? others : [...others, time])),
      fill,
      order: fc.constantFrom("asc", "desc"),
      limit: count,
      offset: count,
      slimit: count,
      soffset: count,
      zone,
    },
    {
      requiredKeys: [
        "kind",
        "fields",
        "sources",
        "dimensions",
        "fill",
        "order",
        "limit",
        "offset",
        "slimit",
        "soffset",
      ],
    },
  ),
})).select;

const keys: fc.Arbitrary<NonNullable<ShowStatement["keys"]>> = fc.oneof(
  fc.record({ op: fc.constantFrom("=", "!="), name }),
  fc.record({ op: fc.constantFrom("=~", "!~"), regex }),
  fc.record({ op: fc.constant("IN"), names: fc.array(name, { minLength: 1, maxLength: 3 }) }),
);

const show: fc.Arbitrary<ShowStatement> = fc
  .record({
    what: fc.constantFrom(
      "databases",
      "retention policies",
      "measurements",
      "tag keys",
      "tag values",
      "field keys",
      "series",
    ),
    database: fc.option(name, { nil: undefined }),
    sources: fc.array(measurement, { maxLength: 2 }),
    measurement: fc.option(
      fc.oneof(
        fc.record({ op: fc.constant("="), name: fc.record({ name }) }),
        fc.record({ op: fc.constant("=~"), name: fc.record({ regex }) }),
      ),
      { nil: undefined },
    ),
    keys,
    withKeys: fc.boolean(),
    cardinality: fc.constantFrom("none", "estimated", "exact"),
    condition: fc.option(condition, { nil: undefined }),
    limit: count,
    offset: count,
  })
  .map((parts): ShowStatement => {
    const { what } = parts;
    const isCounted = parts.cardinality !== "none" && !["databases", "retention policies"].includes(what);
    const hasSources =
      !["databases", "retention policies"].includes(what) && (what !== "measurements" || isCounted);
    const hasCondition = hasSources ? what !== "field keys" || isCounted : what === "measurements";
    const hasKeys = what === "tag values" || (what === "tag keys" && parts.withKeys && !isCounted);
    const isLimited = what !== "databases" && what !== "retention policies";
    return {
      kind: "show",
      what,
      ...(what !== "databases" && parts.database !== undefined && { database: parts.database }),
      sources: hasSources ? parts.sources : [],
      ...(what === "measurements" &&
        !isCounted &&
        parts.measurement !== undefined && { measurement: parts.measurement }),
      ...(hasKeys && { keys: parts.keys }),
      ...(isCounted && { cardinality: true }),
      ...(isCounted && parts.cardinality === "exact" && { exact: true }),
      ...(hasCondition && parts.condition !== undefined && { condition: parts.condition }),
      limit: isLimited ? parts.limit : 0,
      offset: isLimited ? parts.offset : 0,
    };
  });

export const generatedStatement: fc.Arbitrary<Statement> = fc.oneof(
  { arbitrary: select, weight: 4 },
  { arbitrary: show, weight: 2 },
  {
    arbitrary: fc.record({ kind: fc.constant("explain"), analyze: fc.boolean(), statement: select }),
    weight: 1,
  },
);

/** Without where its parts stand. */
export function withoutPlaces<T>(tree: T): T {
  if (Array.isArray(tree)) return tree.map(withoutPlaces) as T;
  if (typeof tree !== "object" || tree === null) return tree;
  const entries = Object.entries(tree).filter(([key]) => key !== "at");
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutPlaces(inner)])) as T;
}
