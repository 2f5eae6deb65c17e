import { text as textOf } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { caOption, httpOption, openClient, userOption } from "./client.ts";
import { type Piece, piecesOf, saysError } from "./query/answer.ts";
import { asCsv, asTables } from "./query/formats.ts";
import { printable } from "./table.ts";

const formats = ["table", "csv", "json"] as const;

interface QueryOptions {
  readonly http: string;
  readonly user?: string;
  readonly format: (typeof formats)[number];
  readonly explain: boolean;
  readonly rp?: string;
  readonly db?: string;
  readonly epoch?: string;
  readonly param: Readonly<Record<string, unknown>>;
}

/** Rows of a piece of an answer: little enough to print as it comes. */
const chunkRows = 5000;

/** `marsad query "SELECT …"` */
export function queryCommand(): Command {
  return new Command("query")
    .description(
      "Asks InfluxQL of a running platform; docs/influxql.md has the language. The same query runs on the embedded store and on InfluxDB.",
    )
    .argument("<influxql>", "one statement, or several with ; between them")
    .addOption(new Option("--format <format>", "how rows are printed").choices(formats).default("table"))
    .addOption(
      new Option(
        "--explain",
        "how it would be answered: its scans, their SQL, and the steps after them",
      ).default(false),
    )
    .addOption(
      new Option("--rp <policy>", "of measurements that name none: autogen, rollup_1m, rollup_1h, rollup_1d"),
    )
    .addOption(new Option("--db <name>", "the database, if another than the platform's own"))
    .addOption(
      new Option("--epoch <unit>", "times as numbers since 1970, not as RFC 3339").choices([
        "ns",
        "u",
        "ms",
        "s",
        "m",
        "h",
      ]),
    )
    .addOption(
      new Option(
        "--param <name=value>",
        "what $name stands for, JSON or else text; may be given several times",
      )
        .argParser(addParameter)
        .default({}, "none"),
    )
    .addOption(httpOption())
    .addOption(caOption())
    .addOption(userOption())
    .action(async (influxql: string, options: QueryOptions) => {
      const body = await openClient(options.http, options.user).stream("/query", formOf(influxql, options));
      if (options.format === "json") await printDocument(body);
      else await pipeline(inFormat(options.format, warned(piecesOf(body))), process.stdout, { end: false });
    });
}

function formOf(influxql: string, { format, explain, rp, db, epoch, param }: QueryOptions): URLSearchParams {
  const form = new URLSearchParams({ q: explain ? explained(influxql) : influxql });
  const given = { rp, db, epoch };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) form.set(name, value);
  if (Object.keys(param).length > 0) form.set("params", JSON.stringify(param));
  if (format !== "json") {
    form.set("chunked", "true");
    form.set("chunk_size", String(chunkRows));
  }
  return form;
}

/** `--explain` is for one statement, which `EXPLAIN` may already begin. */
function explained(influxql: string): string {
  return /^\s*explain\b/i.test(influxql) ? influxql : `EXPLAIN ${influxql}`;
}

function inFormat(format: "table" | "csv", pieces: AsyncIterable<Piece>): AsyncIterable<string> {
  return format === "csv" ? asCsv(pieces) : asTables(pieces);
}

/** The whole answer as it is; a statement that failed says so in it. */
async function printDocument(body: AsyncIterable<Uint8Array>): Promise<void> {
  const text = await textOf(body);
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  if (saysError(text)) process.exitCode = 1;
}

/** Warnings go to stderr, rows on. */
async function* warned(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  for await (const piece of pieces) {
    if (piece.kind === "warning") console.error(`marsad: ${printable(piece.text)}`);
    else yield piece;
  }
}

function addParameter(text: string, before: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It is NAME=VALUE.");
  return { ...before, [text.slice(0, at)]: jsonOr(text.slice(at + 1)) };
}

/** A number, true, or a text: `31`, `true`, `tf-012`. */
function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
