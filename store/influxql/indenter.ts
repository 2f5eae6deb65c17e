const token = /"(?:[^"\\]+|\\.)*"|[{}[\],:]|[^"{}[\],:]+/g;

/** Indents JSON while it comes, as Go does. Texts end between two of its words, not within one. */
export class Indenter {
  #depth = 0;
  /** After a bracket: what is empty stays on its line. */
  #isOpened = false;

  add(json: string): string {
    return json.replaceAll(token, (found) => {
      switch (found) {
        case "{":
        case "[": {
          const open = `${this.#begin()}${found}`;
          this.#depth += 1;
          this.#isOpened = true;
          return open;
        }
        case "}":
        case "]": {
          const isEmpty = this.#isOpened;
          this.#isOpened = false;
          this.#depth -= 1;
          return isEmpty ? found : `${this.#line()}${found}`;
        }
        case ",":
          return `,${this.#line()}`;
        case ":":
          return ": ";
        default:
          return `${this.#begin()}${found}`;
      }
    });
  }

  #begin(): string {
    if (!this.#isOpened) return "";
    this.#isOpened = false;
    return this.#line();
  }

  #line(): string {
    return `\n${"    ".repeat(this.#depth)}`;
  }
}
