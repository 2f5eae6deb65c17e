/**
 * Says when nothing came for one and a half times the keepalive (MQTT 3.1.1, 3.1.2.10). Bytes count, not whole packets: a large
 * batch on a slow link must not look like silence. Stands still between `pause` and `resume`, as at first.
 */
export class Keepalive {
  readonly #expired: () => void;
  #limit_ms = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(expired: () => void) {
    this.#expired = expired;
  }

  /** @param keepalive_s  As the client asked for; 0 means none. */
  set(keepalive_s: number): void {
    this.#limit_ms = keepalive_s * 1500;
  }

  /** Bytes came. */
  touch(): void {
    this.#timer?.refresh();
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  resume(): void {
    if (this.#limit_ms > 0) this.#timer ??= setTimeout(this.#expired, this.#limit_ms);
  }
}
