import { expect, test } from "vitest";
import { type Piece, piecesOf, saysError } from "#cli/query/answer.ts";
import { asCsv, asTables } from "#cli/query/formats.ts";

const first = {
  name: "water_flow",
  tags: { municipality: "QA-DA" },
  columns: ["time", "mean"],
  values: [
    ["2026-01-31T05:00:00Z", 31.5],
    ["2026-01-31T06:00:00Z", null],
  ],
};
const answer = [
  { results: [{ statement_id: 0, series: [{ ...first, partial: true }], partial: true }] },
  {
    results: [
      { statement_id: 0, series: [{ ...first, values: [["2026-01-31T07:00:00Z", 7]] }], partial: true },
    ],
  },
  { results: [{ statement_id: 0, series: [{ ...first, tags: { municipality: "QA-RA" }, values: [] }] }] },
  {
    results: [
      {
        statement_id: 1,
        series: [{ columns: ["name", "note"], values: [["marsad", 'says "yes", twice']] }],
        messages: [{ level: "warning", text: "deprecated" }],
      },
    ],
  },
];

test("a table for each series, with its tags above it, whatever pieces it came in", async () => {
  expect(await text(asTables(read(answer)))).toBe(
    [
      "water_flow  municipality=QA-DA",
      "time                  mean",
      "2026-01-31T05:00:00Z  31.5",
      "2026-01-31T06:00:00Z     -",
      "2026-01-31T07:00:00Z     7",
      "",
      "water_flow  municipality=QA-RA",
      "time  mean",
      "",
      "name    note",
      'marsad  says "yes", twice',
      "",
      "4 rows",
      "",
    ].join("\n"),
  );
});

test("CSV has the tags as columns, and a new heading where columns change", async () => {
  expect(await text(asCsv(read(answer)))).toBe(
    [
      "name,municipality,time,mean",
      "water_flow,QA-DA,2026-01-31T05:00:00Z,31.5",
      "water_flow,QA-DA,2026-01-31T06:00:00Z,",
      "water_flow,QA-DA,2026-01-31T07:00:00Z,7",
      "",
      "name,name,note",
      ',marsad,"says ""yes"", twice"',
      "",
    ].join("\n"),
  );
});

test("a table of many rows, and of names that would move the cursor", async () => {
  const values = Array.from({ length: 150_000 }, (_, index) => [index]);
  const odd = { name: "\u001B[2J", tags: { a: "\u001B]0;x" }, columns: ["v\u001B[1m"], values };
  const table = await text(asTables(piecesOf(bytesOf({ results: [{ statement_id: 0, series: [odd] }] }))));
  expect(table.slice(0, 40)).toMatch(/^\ufffd\[2J {2}a=\ufffd\]0;x\n *v\ufffd\[1m\n/);
  expect(table.slice(-40)).toMatch(/149999\n\n150000 rows\n$/);
});

test("nothing found is said", async () => {
  expect(await text(asTables(read([{ results: [{ statement_id: 0 }] }])))).toBe("No rows.\n");
});

test("an error of a statement, or of the request, is the platform's own words", async () => {
  await expect(text(asCsv(read([{ error: "error parsing query: found x" }])))).rejects.toMatchObject({
    code: "REFUSED",
    message: "error parsing query: found x",
  });
  await expect(
    text(asCsv(read([{ results: [{ statement_id: 0, error: "too many rows" }] }]))),
  ).rejects.toMatchObject({ code: "REFUSED", message: "too many rows" });
});

test("what breaks the answer off is not taken for its end", async () => {
  await expect(text(asCsv(piecesOf(broken())))).rejects.toThrow("terminated");
});

test("one document that says an error is known, in a statement or for all of it", () => {
  expect(saysError(JSON.stringify({ results: [{ statement_id: 0 }, { statement_id: 1 }] }))).toBe(false);
  expect(saysError("{}")).toBe(false);
  expect(saysError(JSON.stringify({ results: [{}, { error: "too many rows" }] }))).toBe(true);
  expect(saysError(JSON.stringify({ error: "timeout" }))).toBe(true);
  expect(() => saysError('{"results":[')).toThrow(/it was cut/);
});

test("a cut answer is no answer", async () => {
  await expect(text(asCsv(piecesOf(cut())))).rejects.toMatchObject({ code: "UNREACHABLE" });
});

/** Sent in pieces that end anywhere. */
function read(lines: readonly object[]): AsyncIterable<Piece> {
  const bytes = Buffer.from(`${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  return piecesOf(
    (async function* () {
      for (let at = 0; at < bytes.length; at += 37) yield bytes.subarray(at, at + 37);
    })(),
  );
}

async function* bytesOf(line: object): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(line));
}

async function text(parts: AsyncIterable<string>): Promise<string> {
  let all = "";
  for await (const part of parts) all += part;
  return all;
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(answer[0])}\n`);
  throw new Error("terminated");
}

async function* cut(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(answer[0]).slice(0, 40));
}
