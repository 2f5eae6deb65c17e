import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";

const Value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type Value = z.infer<typeof Value>;

const Series = z.object({
  name: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  columns: z.array(z.string()),
  values: z.array(z.array(Value)).default([]),
});
export type Series = z.infer<typeof Series>;

const Line = z.object({
  results: z
    .array(
      z.object({
        statement_id: z.number().default(0),
        series: z.array(Series).default([]),
        messages: z.array(z.object({ level: z.string(), text: z.string() })).default([]),
        error: z.string().optional(),
      }),
    )
    .default([]),
  error: z.string().optional(),
});

/** A piece of an answer: some rows of one series, or what the platform says about a statement. */
export type Piece =
  | { readonly kind: "rows"; readonly statement: number; readonly series: Series }
  | { readonly kind: "warning"; readonly text: string };

/**
 * Reads a chunked answer of `/query` (one JSON document a line) as it comes.
 * @throws MarsadError REFUSED with the platform's words; UNREACHABLE for what is no such answer, or one that was cut.
 */
export async function* piecesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  for await (const text of linesOf(body)) {
    if (text.trim() === "") continue;
    const { results, error } = parseLine(text, Line);
    if (error !== undefined) throw new MarsadError("REFUSED", error);
    for (const { statement_id: statement, series, messages, error: wrong } of results) {
      if (wrong !== undefined) throw new MarsadError("REFUSED", wrong);
      for (const { text: warning } of messages) yield { kind: "warning", text: warning };
      for (const rows of series) yield { kind: "rows", statement, series: rows };
    }
  }
}

const Errors = z.object({
  results: z.array(z.object({ error: z.string().optional() })).default([]),
  error: z.string().optional(),
});

/**
 * Does an answer in one document say that something in it went wrong?
 * @throws MarsadError UNREACHABLE as `piecesOf`
 */
export function saysError(text: string): boolean {
  const { results, error } = parseLine(text, Errors);
  return [...results, { error }].some((part) => part.error !== undefined);
}

function parseLine<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new MarsadError("UNREACHABLE", "The answer is no answer of /query, or it was cut.", {
      cause: error,
    });
  }
}

/** Not `readline`: it does not tell when its input breaks off with an error. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest;
}
