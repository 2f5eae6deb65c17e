import { clearLine, cursorTo } from "node:readline";
import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import { Presets, SingleBar } from "cli-progress";
import { grouped } from "../output.ts";

/** What `up` shows: lines that stay, and one at the bottom that is rewritten. */
export interface Screen {
  say(line: string): void;
  /** Something the reader should not overlook. */
  warn(line: string): void;
  /** Shows how things are now: in place on a terminal, elsewhere at most every ten seconds. */
  live(line: string): void;
  /** Shows how far `what` has come: a bar on a terminal, elsewhere a line at most every five seconds. */
  progress(what: string, done: number, total: number, note: string): void;
  /** Leaves the bar behind as it is. */
  endProgress(): void;
  /** Leaves the live line and the bar behind; may be used again. */
  close(): void;
}

const LIVE_INTERVAL = 10_000;
const PROGRESS_INTERVAL = 5_000;

export function openScreen(out: NodeJS.WriteStream, now: () => number = () => performance.now()): Screen {
  return out.isTTY ? new Terminal(out) : new Transcript(out, now);
}

class Terminal implements Screen {
  readonly #out: WriteStream;
  #live = "";
  #bar: SingleBar | undefined;

  constructor(out: WriteStream) {
    this.#out = out;
  }

  say(line: string): void {
    this.#clear();
    this.#out.write(`${line}\n`);
    this.#out.write(this.#live);
  }

  warn(line: string): void {
    this.say(styleText("yellow", line, { stream: this.#out }));
  }

  live(line: string): void {
    this.#clear();
    // A line that wraps could not be rewritten; some terminals do not say how wide they are.
    this.#live = this.#out.columns > 0 ? line.slice(0, this.#out.columns - 1) : line;
    this.#out.write(this.#live);
  }

  progress(what: string, done: number, total: number, note: string): void {
    if (!this.#bar) {
      this.#clear();
      this.#live = "";
      const format = `${what} {bar} {percentage} % | {value} of {total} | {note}`;
      this.#bar = new SingleBar(
        {
          format,
          barsize: 30,
          hideCursor: true,
          fps: 5,
          stream: this.#out,
          gracefulExit: false,
          formatValue: (value, _options, type) => (type === "percentage" ? String(value) : grouped(value)),
        },
        Presets.shades_classic,
      );
      this.#bar.start(total, done, { note });
    }
    this.#bar.setTotal(total);
    this.#bar.update(done, { note });
  }

  endProgress(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  close(): void {
    this.endProgress();
    if (this.#live !== "") this.#out.write("\n");
    this.#live = "";
  }

  #clear(): void {
    clearLine(this.#out, 0);
    cursorTo(this.#out, 0);
  }
}

class Transcript implements Screen {
  readonly #out: NodeJS.WritableStream;
  readonly #now: () => number;
  #nextLive = Number.NEGATIVE_INFINITY;
  #nextProgress = Number.NEGATIVE_INFINITY;

  constructor(out: NodeJS.WritableStream, now: () => number) {
    this.#out = out;
    this.#now = now;
  }

  say(line: string): void {
    this.#out.write(`${line}\n`);
  }

  warn(line: string): void {
    this.say(line);
  }

  live(line: string): void {
    if (this.#now() < this.#nextLive) return;
    this.#nextLive = this.#now() + LIVE_INTERVAL;
    this.say(line);
  }

  progress(what: string, done: number, total: number, note: string): void {
    if (this.#now() < this.#nextProgress) return;
    this.#nextProgress = this.#now() + PROGRESS_INTERVAL;
    const share = total === 0 ? 100 : Math.floor((100 * done) / total);
    this.say(`${what} ${share} % | ${grouped(done)} of ${grouped(total)} | ${note}`);
  }

  endProgress(): void {
    this.#nextProgress = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.endProgress();
  }
}
