import { type FieldLayout, type FieldReading, spelling } from "./field-scanner.ts";

/** Whole lines that filters send beside the one they were offered; taken over, and emptied, by whoever offered it. */
export class LineOutput {
  bytes: Buffer = Buffer.allocUnsafe(4096);
  length = 0;
  lines = 0;

  /** Adds a line that lacks its newline. */
  add(line: Uint8Array, from: number, to: number): void {
    this.#reserve(to - from + 1);
    this.bytes.set(line.subarray(from, to), this.length);
    this.length += to - from;
    this.#endLine();
  }

  addText(line: string): void {
    this.#reserve(line.length + 1);
    this.length += this.bytes.write(line, this.length, "latin1");
    this.#endLine();
  }

  clear(): void {
    this.length = 0;
    this.lines = 0;
  }

  #endLine(): void {
    this.bytes[this.length] = 0x0a;
    this.length += 1;
    this.lines += 1;
  }

  #reserve(room: number): void {
    if (this.length + room <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.bytes.length, this.length + room));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

/** A reading of ours as a line without its newline. @param key  `measurement,sensor=id` */
export function formatReading(key: string, reading: FieldReading, layout: FieldLayout): string {
  let fields = "";
  for (let i = 0; i < reading.count; i += 1) {
    const value = reading.values[i]!;
    const spelled = reading.spellings[i]!;
    const text =
      spelled === spelling.boolean
        ? value === 0
          ? "false"
          : "true"
        : spelled === spelling.integer
          ? `${value}i`
          : `${value}`;
    fields += `${i === 0 ? "" : ","}${layout.names[reading.slots[i]!]!}=${text}`;
  }
  return `${key} ${fields} ${reading.time}`;
}
