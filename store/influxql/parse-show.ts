import type { MeasurementSource, ShowStatement } from "./ast.ts";
import { measurement, parseCondition, parseCount, parseMeasurements, parseOrder } from "./parse-select.ts";
import type { Reader } from "./reader.ts";
import { notOffered } from "./refused.ts";

const words =
  "CONTINUOUS DATABASES DIAGNOSTICS FIELD GRANTS MEASUREMENT MEASUREMENTS QUERIES RETENTION SERIES SHARD SHARDS STATS SUBSCRIPTIONS TAG USERS".split(
    " ",
  );
type Parts = Omit<ShowStatement, "kind" | "what">;
const none: Parts = { sources: [], limit: 0, offset: 0 };

function show(what: ShowStatement["what"], parts: Partial<Parts>): ShowStatement {
  return { kind: "show", what, ...none, ...parts };
}

/** After `SHOW`. */
export function parseShow(reader: Reader): ShowStatement {
  const word = reader.expect(...words).text;
  switch (word) {
    case "DATABASES":
      return show("databases", {});
    case "RETENTION":
      reader.expect("POLICIES");
      return show("retention policies", parseDatabase(reader));
    case "MEASUREMENTS":
      return show("measurements", {
        ...parseDatabase(reader),
        ...parseName(reader),
        ...parseRest(reader),
      });
    case "MEASUREMENT":
      return show("measurements", parseCardinality(reader, ["EXACT", "CARDINALITY"]));
    case "SERIES": {
      const cardinality = acceptCardinality(reader);
      return show("series", { ...cardinality, ...parseSources(reader), ...parseRest(reader) });
    }
    case "FIELD":
      if (reader.expect("KEY", "KEYS").text === "KEY")
        return show("field keys", parseCardinality(reader, ["EXACT", "CARDINALITY"]));
      return show("field keys", { ...parseSources(reader), ...parseOrdered(reader) });
    case "TAG":
      return parseTag(reader);
    default:
      throw notOffered(word);
  }
}

function parseTag(reader: Reader): ShowStatement {
  const word = reader.expect("KEY", "KEYS", "VALUES").text;
  if (word === "KEY") return show("tag keys", parseCardinality(reader, ["EXACT", "CARDINALITY"]));
  if (word === "VALUES") {
    const cardinality = acceptCardinality(reader);
    const sources = parseSources(reader);
    reader.expect("WITH");
    return show("tag values", { ...cardinality, ...sources, keys: parseKeys(reader), ...parseRest(reader) });
  }
  const sources = parseSources(reader);
  const keys = reader.accept("WITH") ? { keys: parseKeys(reader) } : {};
  const rest = parseRest(reader);
  // InfluxDB reads them here, and does nothing with them.
  parseCount(reader, "SLIMIT");
  parseCount(reader, "SOFFSET");
  return show("tag keys", { ...sources, ...keys, ...rest });
}

function parseDatabase(reader: Reader): Pick<Parts, "database"> {
  return reader.accept("ON") ? { database: reader.ident() } : {};
}

function parseSources(reader: Reader): Pick<Parts, "database" | "sources"> {
  const database = parseDatabase(reader);
  const sources: MeasurementSource[] = reader.accept("FROM") ? parseMeasurements(reader) : [];
  return { ...database, sources };
}

function parseRest(reader: Reader): Pick<Parts, "condition" | "limit" | "offset"> {
  const condition = parseCondition(reader);
  return { ...(condition !== undefined && { condition }), ...parseOrdered(reader) };
}

function parseOrdered(reader: Reader): Pick<Parts, "limit" | "offset"> {
  parseOrder(reader);
  return { limit: parseCount(reader, "LIMIT"), offset: parseCount(reader, "OFFSET") };
}

function acceptCardinality(reader: Reader): Pick<Parts, "cardinality" | "exact"> {
  if (reader.accept("CARDINALITY")) return { cardinality: true };
  if (!reader.accept("EXACT")) return {};
  reader.expect("CARDINALITY");
  return { cardinality: true, exact: true };
}

function parseCardinality(reader: Reader, expected: readonly string[]): Partial<Parts> {
  const cardinality = acceptCardinality(reader);
  if (cardinality.cardinality !== true) throw reader.unexpected(reader.take(), expected);
  return { ...cardinality, ...parseSources(reader), ...parseRest(reader) };
}

/** `WITH MEASUREMENT = x` or `=~ /x/`. */
function parseName(reader: Reader): Pick<Parts, "measurement"> {
  if (!reader.accept("WITH")) return {};
  reader.expect("MEASUREMENT");
  const op = reader.expect("=", "=~").text === "=" ? "=" : "=~";
  return { measurement: { op, name: measurement(reader).name } };
}

/** After `WITH`. */
function parseKeys(reader: Reader): NonNullable<Parts["keys"]> {
  reader.expect("KEY");
  const token = reader.take();
  switch (token.kind === "symbol" || token.kind === "keyword" ? token.text : "") {
    case "=":
    case "!=":
      return { op: token.text === "=" ? "=" : "!=", name: reader.ident() };
    case "=~":
    case "!~": {
      const regex = reader.acceptRegex();
      if (regex === undefined) throw reader.unexpected(reader.take(), ["regex"]);
      return { op: token.text === "=~" ? "=~" : "!~", regex: regex.text };
    }
    case "IN": {
      reader.expect("(");
      const names = [reader.ident()];
      while (reader.accept(",")) names.push(reader.ident());
      reader.expect(")");
      return { op: "IN", names };
    }
    default:
      throw reader.unexpected(token, ["IN", "=", "=~"]);
  }
}
