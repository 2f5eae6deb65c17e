/** How much of the time something was being written, over the last `window` to two of them. */
export class WriteLoad {
  readonly #now: () => number;
  readonly #window: number;
  #writing = 0;
  #since: number;
  #windowBegan: number;
  /** ms, of the window now and of the one before. */
  #busy = 0;
  #busyBefore = 0;
  #lengthBefore = 0;

  /** @param now  a clock that only rises, ms. @param window  ms */
  constructor(now: () => number = () => performance.now(), window = 5_000) {
    this.#now = now;
    this.#window = window;
    this.#since = this.#windowBegan = now();
  }

  /** A write begins; it ends with the scope. */
  begin(): Disposable {
    this.#account();
    this.#writing += 1;
    return {
      [Symbol.dispose]: () => {
        this.#account();
        this.#writing -= 1;
      },
    };
  }

  /** 0 … 1 */
  share(): number {
    this.#account();
    const length = this.#since - this.#windowBegan + this.#lengthBefore;
    return length === 0 ? 0 : (this.#busy + this.#busyBefore) / length;
  }

  #account(): void {
    const now = this.#now();
    if (this.#writing > 0) this.#busy += now - this.#since;
    this.#since = now;
    const length = now - this.#windowBegan;
    if (length < this.#window) return;
    // A longer one than the window: nobody asked meanwhile.
    this.#busyBefore = (this.#busy / length) * this.#window;
    this.#lengthBefore = this.#window;
    this.#busy = 0;
    this.#windowBegan = now;
  }
}
