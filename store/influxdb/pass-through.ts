import { text } from "node:stream/consumers";
import { MarsadError } from "#runtime/errors.ts";
import type { MeasurementSource, SelectStatement, Source, Statement } from "../influxql/ast.ts";
import { databasesOf } from "../influxql/databases.ts";
import { InfluxqlError } from "../influxql/errors.ts";
import { parse } from "../influxql/parser.ts";
import { print } from "../influxql/print.ts";
import { answerOf, refusal } from "../influxql/request.ts";
import type { StatementResult } from "../influxql/result.ts";
import { policies, type QueryAnswer, type QueryBounds, type QueryRequest } from "../query.ts";
import { wordsOf } from "./answers.ts";
import { type InfluxAddress, InfluxHttp, type StreamedAnswer } from "./http.ts";

export interface PassThroughOptions extends InfluxAddress {
  readonly database: string;
  /** The retention policy that readings are written to; undefined: the database's default one. */
  readonly policy: string | undefined;
  /** Of a request with its answer. */
  readonly bounds: Pick<QueryBounds, "time_ms" | "rows">;
}

/** Queries at InfluxDB at the same time; and those that may wait for one of them to end. */
const atOnce = 8;
const waiting = 64;
/** Rows are not counted on their way: an answer may have so many bytes for each. */
const rowBytes = 256;

/**
 * Queries for InfluxDB itself, with the platform's credentials and nothing else of the platform's rights: what goes there is what our parser understood and
 * printed, statements that read, of the platform's database alone. Answers pass as bytes.
 */
export class PassThrough implements Disposable {
  readonly #options: PassThroughOptions;
  readonly #http: InfluxHttp;
  #open = 0;

  constructor(options: PassThroughOptions) {
    this.#options = options;
    this.#http = new InfluxHttp(options, atOnce);
  }

  /** @throws MarsadError STORE_UNAVAILABLE, REFUSED; the signal's reason */
  async query(request: QueryRequest): Promise<QueryAnswer> {
    const { database } = this.#options;
    let statements: Statement[];
    try {
      statements = parse(request.q, { params: request.params });
    } catch (error) {
      if (!(error instanceof InfluxqlError)) throw error;
      return refusal(400, error.message, request);
    }
    const foreign = statements.findIndex((statement) => !isOf(statement, request.db, database));
    if (foreign !== -1) {
      const other = databasesOf([statements[foreign]!]).find((name) => name !== database) ?? request.db;
      return answerOf(each([{ statement: foreign, error: `database not found: ${other}` }]), request);
    }
    const lists = statements.filter(isListOfDatabases);
    if (lists.length < statements.length && lists.length > 0)
      return refusal(400, "SHOW DATABASES stands alone: ask the other statements apart", request);
    if (lists.length < statements.length) return await this.#pass(statements, request);
    const result = listOf(database);
    return answerOf(each(lists.map((_, statement) => ({ statement, result, zone: undefined }))), request);
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #pass(statements: readonly Statement[], request: QueryRequest): Promise<QueryAnswer> {
    if (this.#open >= atOnce + waiting)
      throw new MarsadError("REFUSED", "too many queries at the same time; ask again in a moment");
    const { limits } = request;
    const { bounds } = this.#options;
    const time_ms = Math.min(limits?.time_ms ?? Infinity, bounds.time_ms);
    const late = AbortSignal.timeout(time_ms);
    let answer: StreamedAnswer;
    try {
      answer = await this.#ask(statements, request, AbortSignal.any([request.signal, late]));
    } catch (error) {
      if (error !== late.reason) throw error;
      const words = `the query took longer than ${time_ms / 1_000} s (limit query_max_s): ask for a shorter time or fewer series, or ask a roll-up`;
      return answerOf(each([{ statement: 0, error: words }]), request);
    }
    if (answer.status !== 200) return await this.#refused(answer, request);
    const most = Math.min(limits?.rows ?? Infinity, bounds.rows) * rowBytes;
    return { status: 200, contentType: answer.contentType, body: bounded(answer.body, most) };
  }

  async #ask(
    statements: readonly Statement[],
    request: QueryRequest,
    signal: AbortSignal,
  ): Promise<StreamedAnswer> {
    this.#open += 1;
    const close = (): void => void (this.#open -= 1);
    try {
      const answer = await this.#http.stream(
        {
          method: "POST",
          path: request.pretty === true ? "/query?pretty=true" : "/query", // a form's is not looked at
          body: this.#parameters(statements, request).toString(),
          contentType: "application/x-www-form-urlencoded",
          accept: request.format === "csv" ? "text/csv" : "application/json",
          timeout: 2 * this.#options.bounds.time_ms, // the signal's task
        },
        signal,
      );
      void answer.ended.then(close);
      return answer;
    } catch (error) {
      close();
      throw error;
    }
  }

  #parameters(statements: readonly Statement[], request: QueryRequest): URLSearchParams {
    const { rp, epoch, chunk } = request;
    const { database: db, policy } = this.#options;
    const own = statements.map((statement) => print(withPolicy(statement, policy)));
    const given = { db, rp: rp === undefined || rp === policies[0] ? policy : rp, epoch };
    const parameters = new URLSearchParams({ q: own.join("; ") });
    for (const [name, value] of Object.entries(given)) if (value !== undefined) parameters.set(name, value);
    if (chunk !== undefined) {
      parameters.set("chunked", "true");
      parameters.set("chunk_size", String(chunk));
    }
    return parameters;
  }

  /** In the form of 1.x, whatever generation says it. That it refuses our credentials is no word for whoever asked. */
  async #refused({ status, body }: StreamedAnswer, request: QueryRequest): Promise<QueryAnswer> {
    const said = await text(body);
    if (status === 401 || status === 403 || status < 400) throw this.#http.unexpected(status, said);
    return refusal(status, wordsOf(said) || `InfluxDB answered ${status}`, request);
  }
}

/** Does it name no other database than `own`, the request's included? */
function isOf(statement: Statement, asked: string | undefined, own: string): boolean {
  if (isListOfDatabases(statement)) return true;
  return (asked === undefined || asked === own) && databasesOf([statement]).every((name) => name === own);
}

function isListOfDatabases(statement: Statement): boolean {
  return statement.kind === "show" && statement.what === "databases";
}

/** The same with the platform's name for the policy of readings replaced by the server's. */
function withPolicy(statement: Statement, policy: string | undefined): Statement {
  if (statement.kind === "explain")
    return { ...statement, statement: selectWithPolicy(statement.statement, policy) };
  if (statement.kind === "select") return selectWithPolicy(statement, policy);
  return { ...statement, sources: statement.sources.map((source) => namedPolicy(source, policy)) };
}

function selectWithPolicy(statement: SelectStatement, policy: string | undefined): SelectStatement {
  const renamed = (source: Source): Source =>
    source.kind === "subquery"
      ? { ...source, statement: selectWithPolicy(source.statement, policy) }
      : namedPolicy(source, policy);
  return { ...statement, sources: statement.sources.map(renamed) };
}

function namedPolicy(source: MeasurementSource, policy: string | undefined): MeasurementSource {
  if (source.policy !== policies[0]) return source;
  const { policy: _, ...rest } = source;
  return policy === undefined ? rest : { ...rest, policy };
}

/** SHOW DATABASES: there may be others on the server. */
function listOf(database: string): StatementResult {
  const values = { type: "string", values: [database] } as const;
  return { series: [{ name: "databases", columns: ["name"], values: [values], rows: 1 }] };
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

/** @throws MarsadError REFUSED, which cuts the answer */
async function* bounded(body: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > most)
      throw new MarsadError("REFUSED", "the answer is larger than a query may have; ask for less at once");
    yield piece;
  }
}
