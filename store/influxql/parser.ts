import type { Statement } from "./ast.ts";
import type { Params } from "./binds.ts";
import { InfluxqlError } from "./errors.ts";
import { parseSelect } from "./parse-select.ts";
import { parseShow } from "./parse-show.ts";
import { is, Reader } from "./reader.ts";
import { refusedStatement, writingWords } from "./refused.ts";

const mostStatements = 200;

/**
 * The statements of a request; none for an empty one. What would change anything is refused here.
 * @throws InfluxqlError and nothing else
 */
export function parse(text: string, { params = {} }: { params?: Params | undefined } = {}): Statement[] {
  const reader = new Reader(text, params);
  const statements: Statement[] = [];
  let isSeparated = true;
  for (;;) {
    const token = reader.peek();
    if (token.kind === "eof") return statements;
    if (reader.accept(";")) {
      isSeparated = true;
      continue;
    }
    if (!isSeparated) throw reader.unexpected(token, [";"]);
    if (statements.length >= mostStatements)
      throw new InfluxqlError("limit", `the query has more than ${mostStatements} statements`);
    statements.push(parseStatement(reader));
    isSeparated = false;
  }
}

function parseStatement(reader: Reader): Statement {
  const token = reader.take();
  if (is(token, "SELECT")) return parseSelect(reader);
  if (is(token, "SHOW")) return parseShow(reader);
  if (is(token, "EXPLAIN")) {
    const analyze = reader.accept("ANALYZE");
    reader.expect("SELECT");
    return { kind: "explain", analyze, statement: parseSelect(reader) };
  }
  if (token.kind === "keyword" && (writingWords.includes(token.text) || token.text === "INSERT"))
    throw refusedStatement(reader, token.text);
  throw reader.unexpected(token, [
    "SELECT",
    "DELETE",
    "SHOW",
    "CREATE",
    "DROP",
    "EXPLAIN",
    "GRANT",
    "REVOKE",
    "ALTER",
    "SET",
    "KILL",
  ]);
}
