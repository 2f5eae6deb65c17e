import type { Catalogue } from "#telemetry/catalogue.ts";
import { parseBatchHeader } from "#telemetry/batch-header.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "#telemetry/decode.ts";
import { decodeEnvelope } from "#telemetry/envelope.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import type { ReadingTable } from "#telemetry/reading-table.ts";
import type { Rejection } from "#telemetry/rejection.ts";
import type { UplinkFormat } from "#telemetry/topic.ts";

/** What a payload turned out to be. `rejections` is valid until the next call. */
export interface Decoded {
  readonly count: DecodeCount;
  readonly rejections: readonly Rejection[];
}

/** Reading numbers of an agent's batch: `first` … `first + n - 1`. */
export interface Numbering {
  readonly outbox: string;
  readonly first: number;
  readonly n: number;
}

export type Header = { readonly numbering: Numbering | undefined; readonly error: string | undefined; readonly bodyStart: number };

const noHeader: Header = { numbering: undefined, error: undefined, bodyStart: 0 };

/** The batch header of a line-protocol payload, if it has one. */
export function readHeader(format: UplinkFormat, payload: Uint8Array): Header {
  if (format !== "lp") return noHeader;
  const header = parseBatchHeader(payload);
  if (header === undefined) return noHeader;
  if (!header.ok) return { numbering: undefined, error: header.detail, bodyStart: 0 };
  const { outbox, first, n, bodyStart } = header.header;
  return { numbering: { outbox, first, n }, error: undefined, bodyStart };
}

/** Decodes payloads of every format into the group's tables. Holds the key index of each agency. */
export class Decoder {
  readonly #scanner: LineScanner;
  /** One object for all calls: none is made per message. */
  readonly #context: { -readonly [Key in keyof DecodeContext]: DecodeContext[Key] };
  readonly #resolve: (agency: string) => ResolveSeries;
  readonly #agencies = new Map<string, { index: SeriesIndex; resolve: ResolveSeries }>();
  readonly #rejections: Rejection[] = [];

  /** @param options  `maxAge` and `maxFuture` in milliseconds. */
  constructor(options: {
    catalogue: Catalogue;
    tables: readonly ReadingTable[];
    maxAge: number;
    maxFuture: number;
    resolve: (agency: string) => ResolveSeries;
  }) {
    this.#scanner = new LineScanner(options.catalogue);
    const { tables, maxAge, maxFuture } = options;
    const reject = (rejection: Rejection): void => void this.#rejections.push(rejection);
    this.#context = { tables, gateway: 0, now: 0, maxFuture, maxAge, seen: undefined, reject };
    this.#resolve = options.resolve;
  }

  /**
   * @param start  Where the body begins, after the batch header.
   * @param seen  Which readings, by ordinal, were kept before.
   */
  decode(
    sender: { agency: string; number: number },
    format: UplinkFormat,
    payload: Uint8Array,
    start: number,
    now: number,
    seen: ((ordinal: number) => boolean) | undefined,
  ): Decoded {
    const rejections = this.#rejections;
    rejections.length = 0;
    const { index, resolve } = this.#agency(sender.agency);
    const context = this.#context;
    context.gateway = sender.number;
    context.now = now;
    context.seen = seen;
    const count =
      format === "lp"
        ? this.#scanner.scan(payload, start, payload.length, index, resolve, context)
        : decodeEnvelope(payload, resolve, context);
    return { count, rejections };
  }

  /** Sensors came, moved or went: every key is resolved anew. */
  forgetSeries(): void {
    for (const { index } of this.#agencies.values()) index.clear();
  }

  #agency(name: string): { index: SeriesIndex; resolve: ResolveSeries } {
    let agency = this.#agencies.get(name);
    if (!agency) {
      agency = { index: new SeriesIndex(), resolve: this.#resolve(name) };
      this.#agencies.set(name, agency);
    }
    return agency;
  }
}
