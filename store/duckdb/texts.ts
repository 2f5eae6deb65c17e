/** Texts as numbers, so that columns of them are columns like all others. The same text has the same number. */
export class Texts {
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }

  at(number: number): string {
    return this.#texts[number]!;
  }
}
