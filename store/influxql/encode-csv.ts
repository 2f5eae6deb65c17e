import { type CellForms, type TimeForm, cellsOf } from "./answer-rows.ts";
import { compareNames } from "./name-order.ts";
import type { ResultSeries } from "./result.ts";
import type { StatementAnswer } from "./statement-answer.ts";

/** Text of an answer in InfluxDB's CSV: a table for each statement that has rows. Its errors, which InfluxDB leaves out, are tables too. */
export async function* encodeCsv(
  answers: AsyncIterable<StatementAnswer>,
  epoch: TimeForm["epoch"],
): AsyncGenerator<string> {
  let separator = "";
  for await (const answer of answers) {
    if ("error" in answer) yield `${separator}${csvError(answer.error)}`;
    else {
      const { series } = answer.result;
      if (series.length === 0) continue;
      yield `${separator}${["name", "tags", ...series[0]!.columns].map(csvText).join()}\n`;
      for (const one of series) yield* rowsOf(one, { epoch: epoch ?? "ns", zone: undefined });
    }
    separator = "\n";
  }
}

export function csvError(message: string): string {
  return `error\n${csvText(message)}\n`;
}

const rowsAtOnce = 1_000;

function* rowsOf(series: ResultSeries, form: TimeForm): Generator<string> {
  const cells = cellsOf(series, form, forms);
  const head = `${csvText(series.name ?? "")},${csvText(tagsText(series.tags ?? {}))}`;
  for (let first = 0; first < series.rows; first += rowsAtOnce) {
    const last = Math.min(series.rows, first + rowsAtOnce);
    let text = "";
    for (let row = first; row < last; row++) {
      text += head;
      for (const cell of cells) text += `,${cell(row)}`;
      text += "\n";
    }
    yield text;
  }
}

const forms: CellForms = { nothing: "", float: plainNumber, string: csvText, time: (text) => text };

/** As a series' key says it: empty ones left out, commas, blanks and equals signs escaped. */
function tagsText(tags: Readonly<Record<string, string>>): string {
  return Object.keys(tags)
    .filter((key) => tags[key] !== "")
    .toSorted(compareNames)
    .map((key) => `${escaped(key)}=${escaped(tags[key]!)}`)
    .join();
}

function escaped(text: string): string {
  return text.replaceAll(/[,= ]/g, "\\$&");
}

/** Without an exponent. */
function plainNumber(value: number): string {
  const text = String(value);
  const [digits, exponent] = text.split("e");
  if (exponent === undefined) return text;
  const [, sign = "", whole = "", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(digits!)!;
  const point = whole.length + Number(exponent);
  const all = whole + fraction;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${all}`;
  return `${sign}${all.padEnd(point, "0")}`;
}

/** Quoted where Go's writer would. */
function csvText(text: string): string {
  return /[",\r\n]|^\s|^\\\.$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
