import { bind, type Params } from "./binds.ts";
import { InfluxqlError } from "./errors.ts";
import { compileRegex } from "./regex/index.ts";
import { placeOf, regexAt, type Token, tokenAt } from "./tokens.ts";

/** Characters of a request: Grafana spells out all of a variable's values. */
export const longestText = 256 * 1024;
/** Brackets, calls and sub-queries in one another. */
const deepestNesting = 50;
/** Of a request: each is a step of the way down its tree, which others walk by recursion. */
const mostOperators = 1000;

/** Of a request's regular expressions, with counted repeats spelled out. */
const mostSteps = 50_000;

/** The text from left to right, a token at a time, with `$names` replaced by what they are bound to. */
export class Reader {
  readonly #text: string;
  readonly #params: Params;
  #at = 0;
  #nesting = 0;
  #operators = 0;
  #steps = 0;

  constructor(text: string, params: Params) {
    if (text.length > longestText)
      throw new InfluxqlError("limit", `the query has ${text.length} characters; ${longestText} are allowed`);
    this.#text = text;
    this.#params = params;
  }

  /** The next token, spaces and comments too. */
  next(): Token {
    const token = this.peekNext();
    this.#at = token.end;
    return token;
  }

  peekNext(): Token {
    const token = tokenAt(this.#text, this.#at);
    if (token.kind !== "param") return token;
    const value = Object.hasOwn(this.#params, token.text) ? bind(this.#params[token.text]) : undefined;
    return typeof value === "object" ? { ...token, ...value } : token;
  }

  /** The next token that is neither space nor comment. */
  take(): Token {
    this.skip();
    return this.next();
  }

  peek(): Token {
    this.skip();
    return this.peekNext();
  }

  skip(): void {
    const token = tokenAt(this.#text, this.#at);
    if (token.kind === "space") this.#at = token.end;
  }

  /** Takes the token if it is this keyword or symbol. */
  accept(text: string): boolean {
    const token = this.peek();
    if (!is(token, text)) return false;
    this.#at = token.end;
    return true;
  }

  expect(...texts: readonly string[]): Token {
    const token = this.take();
    if (!texts.some((text) => is(token, text))) throw this.unexpected(token, texts);
    return token;
  }

  ident(): string {
    return this.#takeKind("ident", "identifier");
  }

  string(): string {
    return this.#takeKind("string", "string");
  }

  integer(): string {
    return this.#takeKind("integer", "integer");
  }

  #takeKind(kind: Token["kind"], name: string): string {
    const token = this.take();
    if (token.kind !== kind) throw this.unexpected(token, [name]);
    return token.text;
  }

  /** A regular expression, if one is here. */
  acceptRegex(): Token | undefined {
    const token = this.peek();
    if (token.kind === "regex") this.#at = token.end;
    else if (is(token, "/")) {
      const regex = regexAt(this.#text, token.at);
      if (regex === undefined) throw this.error("bad regex: it does not end on its line", token);
      this.#at = regex.end;
      this.#checkRegex(regex);
      return regex;
    } else return undefined;
    this.#checkRegex(token);
    return token;
  }

  #checkRegex(token: Token): void {
    try {
      this.#steps += compileRegex(token.text).steps ?? 0;
    } catch (error) {
      if (!(error instanceof InfluxqlError)) throw error;
      throw new InfluxqlError("syntax", `${error.message} ${this.#place(token)}`, { cause: error });
    }
    if (this.#steps > mostSteps)
      throw new InfluxqlError(
        "limit",
        "the query's regular expressions are too large: say fewer or shorter ones",
      );
  }

  /** Reads what `inner` reads as something within what is being read. */
  nested<T>(inner: () => T): T {
    if (this.#nesting >= deepestNesting)
      throw new InfluxqlError("limit", `the query is nested more than ${deepestNesting} deep`);
    this.#nesting++;
    const read = inner();
    this.#nesting--;
    return read;
  }

  countOperator(): void {
    this.#operators++;
    if (this.#operators > mostOperators)
      throw new InfluxqlError("limit", `the query has more than ${mostOperators} operators`);
  }

  /** Why a `$name` that is still one cannot be used. */
  unbound(token: Token): InfluxqlError {
    if (token.text === "") return this.error("empty bound parameter", token);
    const value = Object.hasOwn(this.#params, token.text) ? bind(this.#params[token.text]) : undefined;
    return this.error(typeof value === "string" ? value : `missing parameter: ${token.text}`, token);
  }

  unexpected(token: Token, expected: readonly string[]): InfluxqlError {
    const names: Partial<Record<Token["kind"], string>> = {
      ident: "IDENT",
      string: "STRING",
      bad: "BADSTRING",
    };
    const found = token.kind === "param" ? `$${token.text}` : token.text || (names[token.kind] ?? token.kind);
    return this.error(`found ${found}, expected ${expected.join(", ")}`, token);
  }

  error(message: string, token: Token): InfluxqlError {
    return new InfluxqlError("syntax", `error parsing query: ${message} ${this.#place(token)}`);
  }

  /** In words. */
  #place(token: Token): string {
    const { line, char } = placeOf(this.#text, token.shown ?? token.at);
    return `at line ${line}, char ${char}`;
  }
}

export function is(token: Token, text: string): boolean {
  return token.text === text && (token.kind === "keyword" || token.kind === "symbol");
}
