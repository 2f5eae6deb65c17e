import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import type { DecodeContext, DecodeCount, ResolveSeries } from "#telemetry/decode.ts";
import { EnvelopeScanner } from "#telemetry/envelope-scanner.ts";
import { LineScanner } from "#telemetry/line-protocol/scanner.ts";
import { type DeviceNames, SenmlNames } from "#telemetry/senml/names.ts";
import { SenmlScanner } from "#telemetry/senml/scanner.ts";
import { SeriesIndex } from "#telemetry/line-protocol/series-index.ts";
import type { ReadingTable } from "#telemetry/reading-table.ts";
import type { Rejection } from "#telemetry/rejection.ts";
import type { ReadingFormat } from "#telemetry/topic.ts";

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
  /** What their devices call their fields. */
  readonly deviceNames: (agency: string) => DeviceNames;
}

/** An agency's sensors as they are called in payloads. */
interface Agency {
  readonly index: SeriesIndex;
  readonly names: SenmlNames;
  readonly resolve: ResolveSeries;
}

/** A payload and who sent it; `gateway` is the gateway's number. */
export interface Received {
  readonly agency: string;
  readonly gateway: number;
  readonly format: ReadingFormat;
  readonly payload: Uint8Array;
  /** Where the body begins, after the batch header. */
  readonly start: number;
  /** Milliseconds since 1970, by the platform's clock. */
  readonly at: number;
}

/** Decodes payloads of every format into the group's tables. Holds the key index of each agency. */
export class Decoder {
  readonly #scanner: LineScanner;
  readonly #envelopes: EnvelopeScanner;
  readonly #packs: SenmlScanner;
  /** One object for all calls: none is made per message. */
  readonly #context: { -readonly [Key in keyof DecodeContext]: DecodeContext[Key] };
  readonly #resolve: (agency: string) => ResolveSeries;
  readonly #deviceNames: (agency: string) => DeviceNames;
  readonly #agencies = new Map<string, Agency>();
  readonly #decoded: { count: DecodeCount; rejections: Rejection[] };

  constructor({ catalogue, tables, maxAge, maxFuture, resolve, deviceNames }: DecoderOptions) {
    this.#scanner = new LineScanner(catalogue);
    this.#envelopes = new EnvelopeScanner(catalogue);
    this.#packs = new SenmlScanner(catalogue);
    const rejections: Rejection[] = [];
    const reject = (rejection: Rejection): void => void rejections.push(rejection);
    this.#context = { tables, gateway: 0, now: 0, maxFuture, maxAge, seen: undefined, reject };
    this.#decoded = { count: { accepted: 0, seen: 0, refused: 0 }, rejections };
    this.#resolve = resolve;
    this.#deviceNames = deviceNames;
  }

  /** @param seen  Which readings, by ordinal, were kept before: they are passed over. */
  decode(
    { agency, gateway, format, payload, start, at }: Received,
    seen?: (ordinal: number) => boolean,
  ): Decoded {
    const decoded = this.#decoded;
    decoded.rejections.length = 0;
    const { index, names, resolve } = this.#agency(agency);
    const context = this.#context;
    context.gateway = gateway;
    context.now = at;
    context.seen = seen;
    if (format === "lp") {
      decoded.count = this.#scanner.scan(payload, start, payload.length, index, resolve, context);
    } else if (format === "json") decoded.count = this.#envelopes.scan(payload, index, resolve, context);
    else decoded.count = this.#packs.scan(payload, names, index, resolve, context);
    return decoded;
  }

  /** Measurements that were put behind those that it knows; their tables are there. */
  addMeasurements(measurements: readonly Measurement[]): void {
    this.#scanner.addMeasurements(measurements);
    this.#envelopes.addMeasurements(measurements);
    this.#packs.addMeasurements(measurements);
  }

  /** How many readings there are, good or bad. */
  countReadings(received: Received): number {
    return this.decode(received, () => true).count.seen;
  }

  /**
   * Sensors of an agency came, moved or went.
   * @param onlyCame  Those known before are whose they were, and what is unknown is not remembered: a million known keys need not be resolved anew.
   */
  forgetSeries(agency: string, onlyCame: boolean): void {
    const { index, names } = this.#agency(agency);
    if (!onlyCame) index.clear();
    names.clear(); // a device's own name is the longest registered sensor's that it begins with
  }

  #agency(name: string): Agency {
    let agency = this.#agencies.get(name);
    if (!agency) {
      agency = {
        index: new SeriesIndex(),
        names: new SenmlNames(this.#deviceNames(name)),
        resolve: this.#resolve(name),
      };
      this.#agencies.set(name, agency);
    }
    return agency;
  }
}
