import { type LineStage, takeFiltered } from "./line-stage.ts";

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const HASH = 0x23;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/**
 * Moves lines of line protocol from an input's bytes into the open batch, without a string or an object a line.
 *
 * It judges no reading, that is the platform's office; it only makes every line count as exactly one reading: blank
 * lines and comments are left out, carriage returns and blanks around a line go, and a line without a time gets the
 * time of its arrival. A newline always ends a line, also between quotes (the catalogue has no string fields).
 */
export class LineIntake {
  /** Readings taken, also those that a filter left out. */
  received = 0;
  /** Lines left out because they were longer than allowed. */
  tooLong = 0;

  readonly #stage: LineStage;
  readonly #maxLineBytes: number;
  /** An uneven line that filters have to see, made even. */
  #even: Buffer = nothing;

  constructor(stage: LineStage, maxLineBytes: number) {
    this.#stage = stage;
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * Takes the lines of `bytes[from, to)`, the last of which may lack its newline.
   * @param arrival  Milliseconds since 1970, for lines without a time.
   */
  take(bytes: Buffer, from: number, to: number, arrival: number): void {
    // Lines that need no change are copied in runs: one native copy for many lines.
    const { batch, seal } = this.#stage;
    const filters = this.#stage.filters?.active === true ? this.#stage.filters : undefined;
    let runStart = from;
    let runLines = 0;
    let suffix: Buffer | undefined;
    let start = from;
    while (start < to) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 || newline >= to ? to : newline;
      const next = end + 1;
      const isWhole = end - start <= this.#maxLineBytes && isPlain(bytes, start, end) && end < to;
      const goes = isWhole && (filters === undefined || filters.offer(bytes, start, end, arrival));
      if (filters !== undefined && filters.out.lines > 0) {
        this.#copyRun(bytes, runStart, start, runLines);
        runStart = start;
        runLines = 0;
        takeFiltered(this.#stage);
      }
      if (goes) {
        if (next - runStart > batch.room) {
          this.#copyRun(bytes, runStart, start, runLines);
          runStart = start;
          runLines = 0;
          if (next - start > batch.room) seal();
        }
        runLines += 1;
      } else {
        this.#copyRun(bytes, runStart, start, runLines);
        runStart = next;
        runLines = 0;
        if (isWhole) this.received += 1;
        else this.#takeUneven(bytes, start, end, arrival, (suffix ??= this.#timeOf(arrival)));
      }
      start = next;
    }
    this.#copyRun(bytes, runStart, Math.min(start, to), runLines);
  }

  #copyRun(bytes: Buffer, from: number, to: number, lines: number): void {
    if (lines === 0) return;
    this.#stage.batch.append(bytes, from, to, lines);
    this.received += lines;
  }

  /** A line that cannot be copied as it stands. @param suffix  " <arrival>\n" */
  #takeUneven(bytes: Buffer, lineStart: number, lineEnd: number, arrival: number, suffix: Buffer): void {
    let start = lineStart;
    let end = lineEnd;
    while (start < end && isBlank(bytes[start]!)) start += 1;
    while (end > start && isBlank(bytes[end - 1]!)) end -= 1;
    if (start === end || bytes[start] === HASH) return;
    if (end - start > this.#maxLineBytes) {
      this.tooLong += 1;
      return;
    }
    this.received += 1;
    const { batch, seal, filters } = this.#stage;
    const tail = endsInTime(bytes, start, end) ? suffix.length - 1 : 0;
    const length = end - start + suffix.length - tail;
    if (filters?.active === true) {
      if (this.#even.length < length) this.#even = Buffer.allocUnsafeSlow(this.#maxLineBytes + suffix.length);
      bytes.copy(this.#even, 0, start, end);
      suffix.copy(this.#even, end - start, tail);
      const goes = filters.offer(this.#even, 0, length - 1, arrival);
      takeFiltered(this.#stage);
      if (!goes) return;
    }
    if (end - start + suffix.length > batch.room) seal();
    batch.append(bytes, start, end, 0);
    batch.append(suffix, tail, suffix.length, 1);
  }

  #timeOf(arrival: number): Buffer {
    const lead = this.#stage.clockLead?.() ?? 0;
    return Buffer.from(` ${Math.round(arrival - lead)}\n`, "latin1");
  }
}

const nothing = Buffer.alloc(0);

/** Can `bytes[start, end)` be copied as it is: neither blank nor comment, no blanks around it, with a time? */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  if (end === start) return false;
  const first = bytes[start]!;
  return first !== HASH && !isBlank(first) && endsInTime(bytes, start, end);
}

/** A field's value cannot end in a blank and digits, so digits behind a blank are the time. */
function endsInTime(bytes: Buffer, start: number, end: number): boolean {
  let at = end - 1;
  while (at > start && isDigit(bytes[at]!)) at -= 1;
  if (at === end - 1) return false;
  if (bytes[at] === MINUS) at -= 1;
  return at > start && bytes[at] === SPACE;
}

function isDigit(byte: number): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === RETURN || byte === TAB;
}
