import { asTables } from "#cli/query/formats.ts";
import type { Piece } from "#cli/query/answer.ts";
import { type Answer, type Ask, errorOf, type Value } from "./answers.ts";
import type { KnownDifference } from "./known-differences.ts";

/** Answers agree to this many digits; what is behind them differs by the order in which numbers are added. */
const digits = 9;

/**
 * docs/influxql.md with the answers that `ask` gives: a block of text after each query, as `marsad query` prints it, and the last
 * cell of table rows that begin with a query; and with the differences that are known.
 */
export async function withAnswers(
  page: string,
  ask: Ask,
  differences: readonly KnownDifference[],
): Promise<string> {
  let written = page;
  for (const [block, query = ""] of page.matchAll(/```sql\n([^`]+)\n```\n```text\n[^`]*```/g)) {
    const printed = await print(await ask({ q: query, epoch: undefined }));
    written = written.replace(block, () => `\`\`\`sql\n${query}\n\`\`\`\n\`\`\`text\n${printed}\`\`\``);
  }
  for (const [row, query = "", meaning = ""] of page.matchAll(/^\| `(SELECT [^`]+)` \| ([^|]+) \|.*\|$/gm)) {
    const answer = short(await ask({ q: query, epoch: undefined }));
    written = written.replace(row, () => `| \`${query}\` | ${meaning} | ${answer} |`);
  }
  const list = differences.map(({ what, why }) => `| ${what} | ${why} |\n`).join("");
  return written.replace(
    /(## Differences\n[^|]*\| what \| why \|\n\|---\|---\|\n)(?:\|.*\n)*/,
    (_, head: string) => head + list,
  );
}

async function print(answer: Answer): Promise<string> {
  let printed = "";
  for await (const text of asTables(piecesOf(answer))) printed += text;
  return printed;
}

async function* piecesOf(answer: Answer): AsyncGenerator<Piece> {
  const error = errorOf(answer);
  if (error !== undefined) throw new Error(error);
  for (const [statement, { series = [] }] of (answer.results ?? []).entries())
    for (const { name, tags, columns, values = [] } of series) {
      const rows = values.map((row) => row.map(rounded));
      yield {
        kind: "rows",
        statement,
        series: {
          ...(name !== undefined && { name }),
          ...(tags !== undefined && { tags: { ...tags } }),
          columns: [...columns],
          values: rows,
        },
      };
    }
}

/** Rows after one another: their values, after their time where they have one. */
function short(answer: Answer): string {
  const error = errorOf(answer);
  if (error !== undefined) throw new Error(error);
  const rows = (answer.results ?? []).flatMap(({ series = [] }) =>
    series.flatMap(({ values = [] }) => values),
  );
  return rows
    .map(([time, ...values]) => {
      const texts = values.map((value) => String(rounded(value)));
      return time === "1970-01-01T00:00:00Z" ? texts.join(", ") : `${String(time)}: ${texts.join(", ")}`;
    })
    .join("; ");
}

function rounded(value: Value): Value {
  return typeof value === "number" ? Number(value.toPrecision(digits)) : value;
}
