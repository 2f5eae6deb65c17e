import type { Catalogue } from "#telemetry/catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "#telemetry/decode.ts";
import { decodeEnvelope } from "#telemetry/envelope.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import type { ReadingTable } from "#telemetry/reading-table.ts";
import type { Rejection } from "#telemetry/rejection.ts";
import type { UplinkFormat } from "#telemetry/topic.ts";

/** What a payload turned out to be; valid until the next call. */
export interface Decoded {
  readonly count: DecodeCount;
  readonly rejections: readonly Rejection[];
}

export interface DecoderOptions {
  readonly catalogue: Catalogue;
  readonly tables: readonly ReadingTable[];
  /** Milliseconds. */
  readonly maxAge: number;
  /** Milliseconds. */
  readonly maxFuture: number;
  /** The sensors of an agency. */
  readonly resolve: (agency: string) => ResolveSeries;
}

/** A payload and who sent it; `gateway` is the gateway's number. */
export interface Received {
  readonly agency: string;
  readonly gateway: number;
  readonly format: UplinkFormat;
  readonly payload: Uint8Array;
  /** Where the body begins, after the batch header. */
  readonly start: number;
  /** Milliseconds since 1970, by the platform's clock. */
  readonly at: number;
}

/** Decodes payloads of every format into the group's tables. Holds the key index of each agency. */
export class Decoder {
  readonly #scanner: LineScanner;
  /** One object for all calls: none is made per message. */
  readonly #context: { -readonly [Key in keyof DecodeContext]: DecodeContext[Key] };
  readonly #resolve: (agency: string) => ResolveSeries;
  readonly #agencies = new Map<string, { index: SeriesIndex; resolve: ResolveSeries }>();
  readonly #decoded: { count: DecodeCount; rejections: Rejection[] };

  constructor({ catalogue, tables, maxAge, maxFuture, resolve }: DecoderOptions) {
    this.#scanner = new LineScanner(catalogue);
    const rejections: Rejection[] = [];
    const reject = (rejection: Rejection): void => void rejections.push(rejection);
    this.#context = { tables, gateway: 0, now: 0, maxFuture, maxAge, seen: undefined, reject };
    this.#decoded = { count: { accepted: 0, seen: 0, refused: 0 }, rejections };
    this.#resolve = resolve;
  }

  /** @param seen  Which readings, by ordinal, were kept before: they are passed over. */
  decode(
    { agency, gateway, format, payload, start, at }: Received,
    seen?: (ordinal: number) => boolean,
  ): Decoded {
    const decoded = this.#decoded;
    decoded.rejections.length = 0;
    const { index, resolve } = this.#agency(agency);
    const context = this.#context;
    context.gateway = gateway;
    context.now = at;
    context.seen = seen;
    decoded.count =
      format === "lp"
        ? this.#scanner.scan(payload, start, payload.length, index, resolve, context)
        : decodeEnvelope(payload, resolve, context);
    return decoded;
  }

  /** How many readings there are, good or bad. */
  countReadings(received: Received): number {
    return this.decode(received, () => true).count.seen;
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
