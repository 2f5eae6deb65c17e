import { InfluxqlError } from "./errors.ts";

/** Regular expressions as InfluxDB writes them (Go's: RE2, no looking around and no references back) in JavaScript's way. */
const classes: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};
const spaceClass = "\\t\\n\\f\\r ";
const syntaxCharacter = /[\^$\\.*+?()[\]{}|/-]/;

/** @throws InfluxqlError what is wrong with it */
export function compileRegex(source: string): RegExp {
  try {
    const { body, flags } = translate(source);
    return new RegExp(body, `u${flags}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, "") : "";
    throw new InfluxqlError("syntax", `error parsing query: error parsing regexp: ${reason}`, {
      cause: error,
    });
  }
}

function translate(source: string): { body: string; flags: string } {
  let body = "";
  let flags = "";
  let at = 0;
  const leading = /^\(\?([ims]+)\)/.exec(source);
  if (leading !== null) {
    flags = [...new Set(leading[1])].join("");
    at = leading[0].length;
  }
  while (at < source.length) {
    const rest = source.slice(at, at + 40);
    const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
    if (rest.startsWith("\\Q")) {
      const end = source.indexOf("\\E", at + 2);
      const literal = source.slice(at + 2, end < 0 ? source.length : end);
      body += Array.from(literal, plain).join("");
      at = end < 0 ? source.length : end + 2;
    } else if (character === "\\") {
      const [text, length] = escape(rest, false);
      body += text;
      at += length;
    } else if (character === "[") {
      const [text, length] = bracket(source, at);
      body += text;
      at += length;
    } else if (rest.startsWith("(?")) {
      const group = /^\(\?(?::|P?<([A-Za-z_]\w*)>|([ims]*(?:-[ims]+)?):)/.exec(rest);
      if (group === null) throw new Error(`invalid or unsupported Perl syntax: \`${rest.slice(0, 4)}\``);
      body += group[1] === undefined ? group[0] : `(?<${group[1]}>`;
      at += group[0].length;
    } else if (character === "{") {
      const repeat = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
      if (repeat !== null && Math.max(Number(repeat[1]), Number(repeat[2] ?? 0)) > 1000)
        throw new Error(`invalid repeat count: \`${repeat[0]}\``);
      body += repeat?.[0] ?? "\\{";
      at += repeat?.[0].length ?? 1;
    } else {
      body +=
        character === "." && !flags.includes("s")
          ? "[^\\n]"
          : /[\]}/]/.test(character)
            ? `\\${character}`
            : character;
      at += character.length;
    }
  }
  return { body, flags };
}

/** Its first character, which may be two UTF-16 units. */
function firstOf(text: string): string | undefined {
  const point = text.codePointAt(0);
  return point === undefined ? undefined : String.fromCodePoint(point);
}

const plain = (character: string): string =>
  syntaxCharacter.test(character) && character !== "-" ? `\\${character}` : character;

/** What an escape is, and its length. */
function escape(rest: string, inBracket: boolean): [text: string, length: number] {
  const next = firstOf(rest.slice(1));
  if (next === undefined) throw new Error("trailing backslash at end of expression: ``");
  const code = /^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(rest);
  if (code !== null) return [`\\u{${code[1] ?? code[2]}}`, code[0].length];
  const octal = /^\\0[0-7]{0,2}/.exec(rest);
  if (octal !== null) return [`\\u{${Number.parseInt(octal[0].slice(1), 8).toString(16)}}`, octal[0].length];
  const unicode = /^\\([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/.exec(rest);
  if (unicode !== null) {
    const [whole, letter, negated, name, short] = unicode;
    const property = short ?? ((name ?? "").length <= 2 ? name : `Script=${name}`);
    const isNegated = (letter === "P") !== (negated === "^");
    return [`\\${isNegated ? "P" : "p"}{${property}}`, whole.length];
  }
  if (next === "s") return [inBracket ? spaceClass : `[${spaceClass}]`, 2];
  if (next === "S" && !inBracket) return [`[^${spaceClass}]`, 2];
  if (next === "A" && !inBracket) return ["^", 2];
  if (next === "z" && !inBracket) return ["$", 2];
  if (next === "a") return ["\\x07", 2];
  if ((inBracket ? "dDwWSfnrtv" : "dDwWbBfnrtv").includes(next)) return [`\\${next}`, 2];
  if (/[A-Za-z0-9]/.test(next) || next.length > 1 || next > "\x7f")
    throw new Error(`invalid escape sequence: \`\\${next}\``);
  return [syntaxCharacter.test(next) && (inBracket || next !== "-") ? `\\${next}` : next, 2];
}

/** A class in brackets, and its length. */
function bracket(source: string, from: number): [text: string, length: number] {
  let at = from + 1;
  let text = "[";
  if (source[at] === "^") {
    text += "^";
    at++;
  }
  let isFirst = true;
  for (;;) {
    const rest = source.slice(at, at + 40);
    const character = firstOf(rest);
    if (character === undefined) throw new Error(`missing closing ]: \`${source.slice(from)}\``);
    const named = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (character === "]" && !isFirst) return [`${text}]`, at + 1 - from];
    isFirst = false;
    if (named !== null) {
      const members = classes[named[2] ?? ""];
      if (members === undefined || named[1] === "^")
        throw new Error(`invalid character class range: \`${named[0]}\``);
      text += members;
      at += named[0].length;
    } else if (character === "\\") {
      const [escaped, length] = escape(rest, true);
      text += escaped;
      at += length;
    } else {
      text += /[[\](){}/|]/.test(character) ? `\\${character}` : character;
      at += character.length;
    }
  }
}
