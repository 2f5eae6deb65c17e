import { InfluxqlError } from "../errors.ts";
import { type Assertion, parseRegex, type Regex } from "./parse.ts";
import { Program } from "./program.ts";

export interface Matcher {
  /** What it holds, and what reading a character may cost. JavaScript's own expressions have none. */
  readonly steps?: number;
  /** Does it match anywhere in the text? */
  test(text: string): boolean;
}

/**
 * JavaScript's own engine tries one way after the other: fast for what people write, and for ever for `(a+)+$`. Expressions with more than one
 * repeat on a way through them, or a repeat of more than a character, are followed in linear time instead.
 * @throws InfluxqlError what is wrong with it
 */
export function compileRegex(source: string): Matcher {
  try {
    const regex = parseRegex(source);
    // What is wrong with a class JavaScript says.
    const own = new RegExp(sourceOf(regex), "u");
    return repeatsOf(regex) <= 1 ? own : new Program(regex);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, "") : "";
    throw new InfluxqlError("syntax", `error parsing query: error parsing regexp: ${reason}`, {
      cause: error,
    });
  }
}

const matchers = new WeakMap<object, Matcher>();

/** Of this place of a statement, compiled once: each series is compared with it. */
export function matcherOf(place: { readonly regex: string }): Matcher {
  let matcher = matchers.get(place);
  if (matcher === undefined) matchers.set(place, (matcher = compileRegex(place.regex)));
  return matcher;
}

/** Repeats on the longest way through it. */
function repeatsOf(regex: Regex): number {
  switch (regex.kind) {
    case "character":
    case "assert":
      return 0;
    case "sequence":
      return regex.parts.reduce((sum, part) => sum + repeatsOf(part), 0);
    case "choice":
      return regex.parts.reduce((most, part) => Math.max(most, repeatsOf(part)), 0);
    case "repeat":
      return regex.part.kind === "character" ? 1 : Infinity;
    default:
      return regex satisfies never;
  }
}

const assertions: Readonly<Record<Assertion, string>> = {
  "text begins": "^",
  "text ends": "$",
  "line begins": "(?m:^)",
  "line ends": "(?m:$)",
  "word edge": "\\b",
  "no word edge": "\\B",
};

function sourceOf(regex: Regex): string {
  switch (regex.kind) {
    case "character":
      return regex.ignoresCase ? `(?i:${regex.source})` : regex.source;
    case "assert":
      return assertions[regex.what];
    case "sequence":
      return regex.parts.map(sourceOf).join("");
    case "choice":
      return `(?:${regex.parts.map(sourceOf).join("|")})`;
    case "repeat":
      return `(?:${sourceOf(regex.part)}){${regex.min},${regex.max === Infinity ? "" : regex.max}}`;
    default:
      return regex satisfies never;
  }
}
