import type { Assertion, Regex } from "./parse.ts";

/** Steps of a program: with counted repeats spelled out. */
const mostSteps = 20_000;

type Step =
  | { readonly kind: "character"; readonly is: (character: string) => boolean }
  | { readonly kind: "assert"; readonly what: Assertion }
  /** Goes on at both places; `jump` at one of them. */
  | { kind: "split"; to: number; other: number }
  | { kind: "jump"; to: number }
  | { readonly kind: "match" };

/** All that could match is followed at the same time, character by character: linear in the text, whatever the expression is. */
export class Program {
  readonly #steps: Step[] = [];

  constructor(regex: Regex) {
    this.#add(regex);
    this.#steps.push({ kind: "match" });
  }

  get steps(): number {
    return this.#steps.length;
  }

  /** Does it match anywhere in the text? */
  test(text: string): boolean {
    const characters = Array.from(text);
    let now = new Places(this.#steps.length);
    let next = new Places(this.#steps.length);
    for (let at = 0; at <= characters.length; at++) {
      if (this.#follow(0, now, characters, at)) return true;
      const character = characters[at];
      if (character === undefined) return false;
      next.clear();
      for (const place of now) {
        const step = this.#steps[place];
        if (
          step?.kind === "character" &&
          step.is(character) &&
          this.#follow(place + 1, next, characters, at + 1)
        )
          return true;
      }
      [now, next] = [next, now];
    }
    return false;
  }

  /** Notes where reading goes on from a step without a character. @returns whether that is the end */
  #follow(from: number, places: Places, characters: readonly string[], at: number): boolean {
    const waiting = [from];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      if (!places.add(place)) continue;
      const step = this.#steps[place];
      if (step === undefined || step.kind === "match") return true;
      if (step.kind === "jump") waiting.push(step.to);
      else if (step.kind === "split") waiting.push(step.other, step.to);
      else if (step.kind === "assert" && holds(step.what, characters, at)) waiting.push(place + 1);
    }
    return false;
  }

  #push(step: Step): number {
    if (this.#steps.length >= mostSteps) throw new Error("expression too large");
    return this.#steps.push(step) - 1;
  }

  #add(regex: Regex): void {
    switch (regex.kind) {
      case "character":
        this.#push({ kind: "character", is: testOf(regex.source, regex.ignoresCase) });
        return;
      case "assert":
        this.#push(regex);
        return;
      case "sequence":
        for (const part of regex.parts) this.#add(part);
        return;
      case "choice":
        this.#addChoice(regex.parts);
        return;
      case "repeat":
        this.#addRepeat(regex.part, regex.min, regex.max);
        return;
      default:
        regex satisfies never;
    }
  }

  #addChoice(parts: readonly Regex[]): void {
    const jumps: { to: number }[] = [];
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      const split = { kind: "split" as const, to: this.#steps.length + 1, other: 0 };
      if (!isLast) this.#push(split);
      this.#add(part);
      if (isLast) break;
      const jump = { kind: "jump" as const, to: 0 };
      this.#push(jump);
      jumps.push(jump);
      split.other = this.#steps.length;
    }
    for (const jump of jumps) jump.to = this.#steps.length;
  }

  #addRepeat(part: Regex, min: number, max: number): void {
    for (let i = 0; i < min; i++) this.#add(part);
    if (max === Infinity) {
      const split = { kind: "split" as const, to: this.#steps.length + 1, other: 0 };
      const begin = this.#push(split);
      this.#add(part);
      this.#push({ kind: "jump", to: begin });
      split.other = this.#steps.length;
      return;
    }
    const splits: { other: number }[] = [];
    for (let i = min; i < max; i++) {
      const split = { kind: "split" as const, to: this.#steps.length + 1, other: 0 };
      this.#push(split);
      splits.push(split);
      this.#add(part);
    }
    for (const split of splits) split.other = this.#steps.length;
  }
}

/** A set of steps that is emptied at once. */
class Places {
  readonly #member: Uint8Array;
  #places: number[] = [];

  constructor(size: number) {
    this.#member = new Uint8Array(size);
  }

  add(place: number): boolean {
    if (this.#member[place] === 1) return false;
    this.#member[place] = 1;
    this.#places.push(place);
    return true;
  }

  clear(): void {
    for (const place of this.#places) this.#member[place] = 0;
    this.#places = [];
  }

  [Symbol.iterator](): Iterator<number> {
    return this.#places[Symbol.iterator]();
  }
}

/** Of one character: JavaScript's classes do for that. */
function testOf(source: string, ignoresCase: boolean): (character: string) => boolean {
  if (!ignoresCase && source.length === 1) return (character) => character === source;
  const regex = new RegExp(`^${source}$`, ignoresCase ? "ui" : "u");
  return (character) => regex.test(character);
}

function holds(what: Assertion, characters: readonly string[], at: number): boolean {
  switch (what) {
    case "text begins":
      return at === 0;
    case "text ends":
      return at === characters.length;
    case "line begins":
      return at === 0 || characters[at - 1] === "\n";
    case "line ends":
      return at === characters.length || characters[at] === "\n";
    case "word edge":
    case "no word edge": {
      const isEdge = isWord(characters[at - 1]) !== isWord(characters[at]);
      return isEdge === (what === "word edge");
    }
    default:
      return what satisfies never;
  }
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /^\w$/.test(character);
}
