/** A regular expression as InfluxDB writes them: Go's, which is RE2 without looking around and without references back. */
export type Regex =
  | { readonly kind: "character"; readonly source: string; readonly ignoresCase: boolean }
  | { readonly kind: "assert"; readonly what: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly Regex[] }
  | { readonly kind: "choice"; readonly parts: readonly Regex[] }
  | { readonly kind: "repeat"; readonly part: Regex; readonly min: number; readonly max: number };

/** Of the text, of a line, of a word. */
export type Assertion =
  | "text begins"
  | "text ends"
  | "line begins"
  | "line ends"
  | "word edge"
  | "no word edge";

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

const mostRepeats = 1000;
const deepest = 200;

/** @throws Error in RE2's words */
export function parseRegex(source: string): Regex {
  const parser = new Parser(source);
  const regex = parser.choice({ i: false, m: false, s: false }, 0);
  if (!parser.isAtEnd) throw new Error("unexpected ): `)`");
  return regex;
}

/** A character of the text as JavaScript has it in a regular expression, with the flag `u`. */
function plain(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

/** Its first character, which may be two UTF-16 units. */
function firstOf(text: string): string | undefined {
  const point = text.codePointAt(0);
  return point === undefined ? undefined : String.fromCodePoint(point);
}

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  get #rest(): string {
    return this.#source.slice(this.#at, this.#at + 40);
  }

  /** Up to the end of the group. Flags that are set on the way hold for what follows in it, behind a `|` too. */
  choice(given: Flags, depth: number): Regex {
    if (depth > deepest) throw new Error("expression nests too deeply");
    let flags = given;
    const choices: Regex[] = [];
    let parts: Regex[] = [];
    while (!this.isAtEnd && this.#rest[0] !== ")") {
      const set = /^\(\?([ims]*)(?:-([ims]+))?\)/.exec(this.#rest);
      if (set !== null) {
        this.#at += set[0].length;
        flags = changed(flags, set[1], set[2]);
      } else if (this.#rest[0] === "|") {
        this.#at += 1;
        choices.push({ kind: "sequence", parts });
        parts = [];
      } else if (this.#rest.startsWith("\\Q")) parts.push(...this.#literal(flags));
      else parts.push(this.#repeated(this.#atom(flags, depth)));
    }
    choices.push({ kind: "sequence", parts });
    return choices.length === 1 ? choices[0]! : { kind: "choice", parts: choices };
  }

  /** `\Q…\E` */
  #literal({ i: ignoresCase }: Flags): Regex[] {
    const end = this.#source.indexOf("\\E", this.#at + 2);
    const text = this.#source.slice(this.#at + 2, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#source.length : end + 2;
    const characters = Array.from(text, (character): Regex => ({
      kind: "character",
      source: plain(character),
      ignoresCase,
    }));
    const last = characters.pop();
    return last === undefined ? [] : [...characters, this.#repeated(last)];
  }

  #atom(flags: Flags, depth: number): Regex {
    const rest = this.#rest;
    const character = firstOf(rest) ?? "";
    const as = (source: string): Regex => ({ kind: "character", source, ignoresCase: flags.i });
    switch (character) {
      case "(":
        return this.#group(flags, depth);
      case "[":
        return as(this.#bracket());
      case "\\": {
        const assertions: Readonly<Record<string, Assertion>> = {
          "\\A": "text begins",
          "\\z": "text ends",
          "\\b": "word edge",
          "\\B": "no word edge",
        };
        const what = assertions[rest.slice(0, 2)];
        if (what === undefined) return as(this.#escape(false));
        this.#at += 2;
        return assert(what);
      }
      case "*":
      case "+":
      case "?":
        throw new Error(`missing argument to repetition operator: \`${character}\``);
      default:
        this.#at += character.length;
    }
    if (character === "^") return assert(flags.m ? "line begins" : "text begins");
    if (character === "$") return assert(flags.m ? "line ends" : "text ends");
    if (character === ".") return as(flags.s ? "[^]" : "[^\\n]");
    return as(plain(character));
  }

  #group(flags: Flags, depth: number): Regex {
    const open = /^\((?:\?(?:P?<[A-Za-z_]\w*>|([ims]*)(?:-([ims]+))?:))?/.exec(this.#rest);
    if (open === null || (open[0] === "(" && this.#rest.startsWith("(?")))
      throw new Error(`invalid or unsupported Perl syntax: \`${this.#rest.slice(0, 4)}\``);
    const from = this.#at;
    this.#at += open[0].length;
    const inner = this.choice(changed(flags, open[1], open[2]), depth + 1);
    if (this.isAtEnd) throw new Error(`missing closing ): \`${this.#source.slice(from)}\``);
    this.#at += 1;
    return inner;
  }

  #repeated(part: Regex): Regex {
    const operator = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/.exec(this.#rest);
    if (operator === null) return part;
    this.#at += operator[0].length;
    const again = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#rest);
    if (again !== null) throw new Error(`invalid nested repetition operator: \`${operator[0]}${again[0]}\``);
    const [, from, comma, to] = operator;
    if (from === undefined) {
      const min = operator[0].startsWith("+") ? 1 : 0;
      return { kind: "repeat", part, min, max: operator[0].startsWith("?") ? 1 : Infinity };
    }
    const min = Number(from);
    const max = comma === undefined ? min : to === "" ? Infinity : Number(to);
    if (min > mostRepeats || (max > mostRepeats && max !== Infinity) || max < min)
      throw new Error(`invalid repeat count: \`${operator[0]}\``);
    return { kind: "repeat", part, min, max };
  }

  /** What an escape is in JavaScript. */
  #escape(inBracket: boolean): string {
    const rest = this.#rest;
    const next = firstOf(rest.slice(1));
    if (next === undefined) throw new Error("trailing backslash at end of expression: ``");
    const code = /^\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))|^\\(0[0-7]{0,2})/.exec(rest);
    if (code !== null) {
      this.#at += code[0].length;
      const hexadecimal = code[1] ?? code[2] ?? Number.parseInt(code[3] ?? "0", 8).toString(16);
      return `\\u{${hexadecimal}}`;
    }
    const unicode = /^\\([pP])(?:\{(\^?)(\w+)\}|([A-Z]))/.exec(rest);
    if (unicode !== null) {
      const [whole, letter, negated, name = "", short] = unicode;
      this.#at += whole.length;
      const property = short ?? (name.length <= 2 ? name : `Script=${name}`);
      return `\\${(letter === "P") !== (negated === "^") ? "P" : "p"}{${property}}`;
    }
    this.#at += 1 + next.length;
    if (next === "s") return inBracket ? spaceClass : `[${spaceClass}]`;
    if (next === "S" && !inBracket) return `[^${spaceClass}]`;
    if (next === "a") return "\\x07";
    if ("dDwWfnrtv".includes(next)) return `\\${next}`;
    if (/[A-Za-z0-9]/.test(next) || next > "\x7f") throw new Error(`invalid escape sequence: \`\\${next}\``);
    return inBracket && next === "-" ? "\\-" : plain(next);
  }

  /** `[…]` */
  #bracket(): string {
    const from = this.#at;
    this.#at += 1;
    let text = "[";
    if (this.#rest[0] === "^") {
      text += "^";
      this.#at += 1;
    }
    for (let isFirst = true; ; isFirst = false) {
      const rest = this.#rest;
      const character = firstOf(rest);
      if (character === undefined) throw new Error(`missing closing ]: \`${this.#source.slice(from)}\``);
      if (character === "]" && !isFirst) {
        this.#at += 1;
        return `${text}]`;
      }
      const named = /^\[:(\^?)(\w+):\]/.exec(rest);
      if (named !== null) {
        const members = classes[named[2] ?? ""];
        if (members === undefined || named[1] === "^")
          throw new Error(`invalid character class range: \`${named[0]}\``);
        text += members;
        this.#at += named[0].length;
      } else if (character === "\\") text += this.#escape(true);
      else {
        text += /[[\](){}/|]/.test(character) ? `\\${character}` : character;
        this.#at += character.length;
      }
    }
  }
}

const assert = (what: Assertion): Regex => ({ kind: "assert", what });

function changed(flags: Flags, on = "", off = ""): Flags {
  const of = (name: "i" | "m" | "s"): boolean => on.includes(name) || (flags[name] && !off.includes(name));
  return { i: of("i"), m: of("m"), s: of("s") };
}

const spaceClass = "\\t\\n\\f\\r ";
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
