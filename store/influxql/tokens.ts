/** A piece of the text. `end` is where reading goes on. */
export interface Token {
  readonly kind:
    | "ident"
    | "keyword"
    | "symbol"
    | "string"
    | "number"
    | "integer"
    | "duration"
    | "regex"
    | "param"
    | "space"
    | "eof"
    /** What no token may be: a stray character, a string without its end. */
    | "bad";
  /** A keyword in capitals; a name, string or regular expression without its quotes and escapes; otherwise as written. */
  readonly text: string;
  readonly at: number;
  readonly end: number;
  /** Where InfluxDB's messages say that it is, if not at `at`: it counts strings from the character before. */
  readonly shown?: number;
}

const keywords = new Set(
  (
    "ALL ALTER ANALYZE AND ANY AS ASC BEGIN BY CARDINALITY CREATE CONTINUOUS DATABASE DATABASES DEFAULT DELETE DESC DESTINATIONS " +
    "DIAGNOSTICS DISTINCT DROP DURATION END EVERY EXACT EXPLAIN FALSE FIELD FOR FROM GRANT GRANTS GROUP GROUPS IN INF INSERT INTO KEY " +
    "KEYS KILL LIMIT MEASUREMENT MEASUREMENTS NAME OFFSET ON OR ORDER PASSWORD POLICY POLICIES PRIVILEGES QUERIES QUERY READ REPLICATION " +
    "RESAMPLE RETENTION REVOKE SELECT SERIES SET SHOW SHARD SHARDS SLIMIT SOFFSET STATS SUBSCRIPTION SUBSCRIPTIONS TAG TO TRUE USER " +
    "USERS VALUES WHERE WITH WRITE"
  ).split(" "),
);

export function isKeyword(word: string): boolean {
  return keywords.has(word.toUpperCase());
}

/** The longest first. `<>` is `!=`. */
const symbols = ":: =~ != !~ <= <> >= + - * / % & | ^ = < > ( ) , ; : .".split(" ");
const spaces = /(?:[ \t\r\n]|--[^\r\n]*|\/\*[^]*?\*\/)+/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
const parameter = /\$(?:[A-Za-z0-9_]+)?/y;
// `1.` is a number, `1.x` one and a name.
const numeral = /(?<duration>\d+[A-Za-zµ][A-Za-z0-9µ]*)|(?<number>\d+\.\d*|\.\d+)|(?<integer>\d+)/y;

/** The token that begins at `at`. A slash is division; whoever expects a regular expression asks for one. */
export function tokenAt(text: string, at: number): Token {
  const match = (grammar: RegExp): RegExpExecArray | null => {
    grammar.lastIndex = at;
    return grammar.exec(text);
  };
  if (at >= text.length) return { kind: "eof", text: "EOF", at, end: at };

  const space = match(spaces)?.[0];
  if (space !== undefined) return { kind: "space", text: space, at, end: at + space.length };

  const name = match(word)?.[0];
  if (name !== undefined) {
    const end = at + name.length;
    const isReserved = isKeyword(name);
    return { kind: isReserved ? "keyword" : "ident", text: isReserved ? name.toUpperCase() : name, at, end };
  }

  const first = text[at];
  if (first === '"' || first === "'") return quoted(text, at, first);

  const numeralMatch = match(numeral);
  if (numeralMatch !== null) {
    const { duration, number } = numeralMatch.groups ?? {};
    const kind = duration !== undefined ? "duration" : number !== undefined ? "number" : "integer";
    return { kind, text: numeralMatch[0], at, end: at + numeralMatch[0].length };
  }

  const bound = match(parameter)?.[0];
  if (bound !== undefined) {
    const next = at + bound.length;
    if (bound === "$" && text[next] === '"') {
      const inner = quoted(text, next, '"');
      return inner.kind === "ident" ? { ...inner, kind: "param", at } : inner;
    }
    return { kind: "param", text: bound.slice(1), at, end: next };
  }

  const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
  if (symbol !== undefined)
    return { kind: "symbol", text: symbol === "<>" ? "!=" : symbol, at, end: at + symbol.length };
  const stray = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return { kind: "bad", text: stray, at, end: at + stray.length };
}

const escapes: Readonly<Record<string, string>> = { n: "\n", "\\": "\\", '"': '"', "'": "'" };

/** A name in double quotes, a string in single ones. */
function quoted(text: string, at: number, quote: string): Token {
  let value = "";
  let from = at + 1;
  const shown = Math.max(0, at - 1);
  for (let index = from; index < text.length; index++) {
    const character = text[index];
    if (character === quote) {
      value += text.slice(from, index);
      return quote === '"'
        ? { kind: "ident", text: value, at, end: index + 1 }
        : { kind: "string", text: value, at, end: index + 1, shown };
    }
    if (character === "\n" || character === "\r")
      return { kind: "bad", text: value + text.slice(from, index), at, end: index, shown };
    if (character === "\\") {
      const escape = text[index + 1] ?? "";
      const meant = escapes[escape];
      if (meant === undefined)
        return { kind: "bad", text: `\\${escape}`, at: index + 1, end: Math.min(index + 2, text.length) };
      value += text.slice(from, index) + meant;
      from = index + 2;
      index++;
    }
  }
  return { kind: "bad", text: value + text.slice(from), at, end: text.length, shown };
}

/** The regular expression whose first slash is at `at`; undefined: it does not end on its line. */
export function regexAt(text: string, at: number): Token | undefined {
  let value = "";
  let from = at + 1;
  for (let index = from; index < text.length; index++) {
    const character = text[index];
    if (character === "\n" || character === "\r") return undefined;
    if (character === "/")
      return { kind: "regex", text: value + text.slice(from, index), at, end: index + 1 };
    // Of escapes only that of the slash is the language's; the others are the expression's own.
    if (character === "\\" && text[index + 1] === "/") {
      value += text.slice(from, index);
      from = index + 1;
      index++;
    }
  }
  return undefined;
}

/** For people, from 1: lines, and characters (not UTF-16 units) of a line. */
export function placeOf(text: string, at: number): { readonly line: number; readonly char: number } {
  const lines = text.slice(0, at).split(/\r\n?|\n/);
  return {
    line: lines.length,
    char: Array.from(lines.at(-1) ?? "").length + 1,
  };
}
