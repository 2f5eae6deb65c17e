import { MarsadError } from "#runtime/errors.ts";
import type { Policy } from "../query.ts";
import { tagSetOf } from "../result-tags.ts";
import type { ResultBatch, ResultField } from "../results.ts";
import type { Refusal } from "./answers.ts";
import { type LineField, encodeText } from "./line-writer.ts";
import { type Prefix, prefixOf } from "./tags.ts";
import { type RefusedLine, LinesWriter } from "./write-lines.ts";

/** So many lines, and no more, are one request. */
const linesPerRequest = 10_000;

export interface ResultWriterOptions {
  readonly bytesPerRequest: number;
  /** How the lines of a series begin: of roll-ups, the readings'. */
  readonly prefixes: (series: number) => readonly Prefix[];
  /** @throws MarsadError STORE_UNAVAILABLE */
  readonly send: (
    lines: Uint8Array,
    policy: Policy,
  ) => Promise<(Refusal & { readonly status: number }) | undefined>;
  readonly giveUp: (words: string) => never;
}

/** Writes results: up to 10,000 rows are one request, which InfluxDB takes whole unless it refuses lines of it. */
export class ResultWriter {
  readonly #options: ResultWriterOptions;
  readonly #writer: LinesWriter;
  #policy: Policy = "autogen";
  #prefixes: (series: number) => readonly Prefix[];

  constructor(options: ResultWriterOptions) {
    this.#options = options;
    this.#prefixes = options.prefixes;
    this.#writer = new LinesWriter(1, {
      linesPerRequest,
      bytesPerRequest: options.bytesPerRequest,
      prefixes: (series) => this.#prefixes(series),
      send: (lines) => options.send(lines, this.#policy),
      giveUp: options.giveUp,
    });
  }

  /**
   * One at a time. What is older than its policy keeps anything is gone at once, as it would be later.
   * @throws MarsadError STORE_UNAVAILABLE; REFUSED: InfluxDB never takes some rows, as they are; it has the others
   */
  async write({ policy, measurement, fields, time, series, tagSets }: ResultBatch): Promise<void> {
    const sets = tagSets?.map((tags) => [prefixOf(measurement, tagSetOf(tags))]);
    this.#policy = policy;
    this.#prefixes = sets === undefined ? this.#options.prefixes : (number) => sets[number]!;
    const columns = fields.map(lineColumn);
    const table = {
      measurement,
      fields: columns.map(({ field }) => field),
      rows: time.length,
      time,
      series,
      values: columns.map(({ values }) => values),
      runs: Uint32Array.of(0, time.length),
    };
    const refused = await this.#writer.write([{ tables: [table] }]);
    const wrong = refused.find((line) => !isTooOld(line));
    if (wrong !== undefined) throw new MarsadError("REFUSED", `InfluxDB: ${measurement}: ${wrong.detail}`);
  }
}

function isTooOld({ detail }: RefusedLine): boolean {
  return /beyond retention policy|outside retention policy/i.test(detail);
}

function lineColumn(field: ResultField): { field: LineField; values: Float64Array } {
  const { name, type } = field;
  if (field.type !== "string") return { field: { name, type }, values: field.values };
  return {
    field: { name, type, texts: field.values.map((text) => encodeText(text ?? "")) },
    values: Float64Array.from(field.values, (text, row) => (text === null ? Number.NaN : row)),
  };
}
