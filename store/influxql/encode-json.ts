import { type CellForms, type TimeForm, cellsOf } from "./answer-rows.ts";
import type { ResultSeries } from "./result.ts";
import type { StatementAnswer } from "./statement-answer.ts";

export interface JsonForm {
  readonly epoch?: TimeForm["epoch"];
  /** Rows of each document; undefined: one document. */
  readonly chunk?: number | undefined;
}

/** Text of an answer in InfluxDB's JSON, in pieces of any length. */
export async function* encodeJson(
  answers: AsyncIterable<StatementAnswer>,
  { chunk, epoch }: JsonForm,
): AsyncGenerator<string> {
  if (chunk !== undefined) {
    for await (const answer of answers) yield* documents(answer, chunk, epoch);
    return;
  }
  let before = `{"results":[`;
  for await (const answer of answers) {
    yield `${before}{${headOf(answer)}`;
    if ("error" in answer) yield `,"error":${jsonText(answer.error)}`;
    else if (answer.result.series.length > 0) {
      let separator = `,"series":[`;
      for (const series of answer.result.series) {
        yield `${separator}${seriesHead(series)}`;
        yield* rowsOf(series, { epoch, zone: answer.zone }, 0, series.rows);
        yield "]}";
        separator = ",";
      }
      yield "]";
    }
    yield "}";
    before = ",";
  }
  yield before === "," ? "]}\n" : "{}\n";
}

/** A document for every `chunk` rows of a series; all but a statement's last are `partial`. */
function* documents(answer: StatementAnswer, chunk: number, epoch: TimeForm["epoch"]): Generator<string> {
  const head = `{"results":[{${headOf(answer)}`;
  if ("error" in answer) yield `${head},"error":${jsonText(answer.error)}}]}\n`;
  else if (answer.result.series.length === 0) yield `${head}}]}\n`;
  else {
    const { series } = answer.result;
    for (const [i, one] of series.entries()) {
      for (let from = 0; from < one.rows || from === 0; from += chunk) {
        const to = Math.min(one.rows, from + chunk);
        const isWhole = to === one.rows;
        yield `${head},"series":[${seriesHead(one)}`;
        yield* rowsOf(one, { epoch, zone: answer.zone }, from, to);
        yield `]${isWhole ? "" : `,"partial":true`}}]`;
        yield `${isWhole && i === series.length - 1 ? "" : `,"partial":true`}}]}\n`;
      }
    }
  }
}

function headOf(answer: StatementAnswer): string {
  const messages = "error" in answer ? undefined : answer.result.messages;
  const said =
    messages === undefined || messages.length === 0
      ? ""
      : `,"messages":${htmlSafe(JSON.stringify(messages))}`;
  return `"statement_id":${answer.statement}${said}`;
}

/** Up to its rows. */
function seriesHead({ name, tags, columns }: ResultSeries): string {
  const named = name === undefined ? "" : `"name":${jsonText(name)},`;
  const tagged = tags === undefined ? "" : `"tags":${htmlSafe(JSON.stringify(tags))},`;
  return `{${named}${tagged}"columns":${htmlSafe(JSON.stringify(columns))},"values":[`;
}

const rowsAtOnce = 1_000;

function* rowsOf(series: ResultSeries, form: TimeForm, from: number, to: number): Generator<string> {
  const cells = cellsOf(series, form, forms);
  for (let first = from; first < to; first += rowsAtOnce) {
    const last = Math.min(to, first + rowsAtOnce);
    let text = "";
    for (let row = first; row < last; row++) {
      text += row === from ? "[" : ",[";
      for (let column = 0; column < cells.length; column++)
        text += column === 0 ? cells[column]!(row) : `,${cells[column]!(row)}`;
      text += "]";
    }
    yield text;
  }
}

const forms: CellForms = {
  nothing: "null",
  float: String,
  string: jsonText,
  time: (text, isNumber) => (isNumber ? text : `"${text}"`),
};

export function jsonText(text: string): string {
  return htmlSafe(JSON.stringify(text));
}

/** As Go writes texts: what HTML or JavaScript would read otherwise is escaped. */
function htmlSafe(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]|\\[bf]/g, (found) => escapes[found] ?? found);
}

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
  "\\b": "\\u0008",
  "\\f": "\\u000c",
};
