import { setImmediate as breath } from "node:timers/promises";
import { type QueryAnswer, type QueryRequest, databaseName } from "../query.ts";
import type { Statement } from "./ast.ts";
import { databasesOf } from "./databases.ts";
import { csvError, encodeCsv } from "./encode-csv.ts";
import { encodeJson, jsonText } from "./encode-json.ts";
import { InfluxqlError } from "./errors.ts";
import { Indenter } from "./indenter.ts";
import { parse } from "./parser.ts";
import type { StatementResult } from "./result.ts";
import type { StatementAnswer } from "./statement-answer.ts";

/** @throws InfluxqlError what is wrong with this statement; anything else ends the request */
export type RunStatement = (statement: Statement) => Promise<StatementResult>;

const encoder = new TextEncoder();
/** Every piece of an answer but its last has so many bytes, or more. */
export const pieceBytes = 64 * 1024;

/** Answers a request as InfluxDB's `/query`. Nothing is computed before it is asked for: a statement when its first piece is, and each piece by itself. */
export function answerRequest(
  request: Omit<QueryRequest, "signal" | "limits">,
  run: RunStatement,
): QueryAnswer {
  let statements: Statement[];
  try {
    statements = parse(request.q, { params: request.params });
  } catch (error) {
    if (!(error instanceof InfluxqlError)) throw error;
    return refusal(400, error.message, request);
  }
  return answerOf(answersOf(statements, request.db, run), request);
}

/** What a request's statements come to, in the form that it asks for. */
export function answerOf(answers: AsyncIterable<StatementAnswer>, request: AnswerForm): QueryAnswer {
  const text = request.format === "csv" ? encodeCsv(answers, request.epoch) : encodeJson(answers, request);
  return formed(200, text, request);
}

/** What is wrong with a request as a whole. */
export function refusal(status: number, message: string, request: AnswerForm): QueryAnswer {
  const text = request.format === "csv" ? csvError(message) : `{"error":${jsonText(message)}}\n`;
  return formed(status, only(text), request);
}

function formed(status: number, text: AsyncIterable<string>, { format, pretty }: AnswerForm): QueryAnswer {
  const shown = pretty === true && format === "json" ? indented(text) : text;
  return { status, contentType: contentTypes[format], body: pieces(shown) };
}

type AnswerForm = Pick<QueryRequest, "format" | "pretty" | "epoch" | "chunk">;
const contentTypes = { csv: "text/csv", json: "application/json" } as const;

/** After one that fails, no other is run. */
async function* answersOf(
  statements: readonly Statement[],
  db: string | undefined,
  run: RunStatement,
): AsyncGenerator<StatementAnswer> {
  let hasFailed = false;
  for (const [number, statement] of statements.entries()) {
    if (hasFailed) {
      yield { statement: number, error: "not executed" };
      continue;
    }
    try {
      const zone = statement.kind === "select" ? statement.zone : undefined;
      expectOwnDatabase(statement, db);
      yield { statement: number, result: await run(statement), zone };
    } catch (error) {
      if (!(error instanceof InfluxqlError)) throw error;
      hasFailed = true;
      yield { statement: number, error: error.message };
    }
  }
}

function expectOwnDatabase(statement: Statement, db = databaseName): void {
  const named = databasesOf([statement]);
  const isOfServer = statement.kind === "show" && statement.what === "databases";
  const other = [...named, ...(named.length > 0 || isOfServer ? [] : [db])].find(
    (name) => name !== databaseName,
  );
  if (other !== undefined) throw new InfluxqlError("semantic", `database not found: ${other}`);
}

async function* only(text: string): AsyncGenerator<string> {
  yield text;
}

async function* indented(texts: AsyncIterable<string>): AsyncGenerator<string> {
  const indenter = new Indenter();
  for await (const text of texts) yield indenter.add(text);
}

async function* pieces(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let waiting = "";
  for await (const text of texts) {
    waiting += text;
    if (waiting.length < pieceBytes) continue;
    yield encoder.encode(waiting);
    waiting = "";
    await breath();
  }
  if (waiting !== "") yield encoder.encode(waiting);
}
