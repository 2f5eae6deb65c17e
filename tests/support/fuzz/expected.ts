import { headerError, readHeader } from "#ingest/numbering.ts";
import { decompress } from "#runtime/zstd.ts";
import { parseBirth } from "#telemetry/birth.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { DecodeContext, ResolveSeries } from "#telemetry/decode.ts";
import { decodeEnvelope } from "#telemetry/envelope.ts";
import { decodeLines } from "#telemetry/line-protocol/oracle.ts";
import { ReadingTable } from "#telemetry/reading-table.ts";
import type { Reason } from "#telemetry/rejection.ts";
import { decodeSenml } from "#telemetry/senml/decode.ts";
import { SenmlNames } from "#telemetry/senml/names.ts";
import type { UplinkFormat } from "#telemetry/topic.ts";

/** A row as it must stand in the store. */
export interface ExpectedRow {
  readonly measurement: string;
  readonly sensor: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly fields: Readonly<Record<string, number>>;
}

/** What must become of a payload. */
export interface Expected {
  readonly rows: readonly ExpectedRow[];
  /** Readings by reason; `unknown-sensor` waits. */
  readonly refused: Readonly<Partial<Record<Reason, number>>>;
}

/** The platform's bounds, as they are without configuration. */
const maxFuture = 300_000;
const maxAge = 400 * 86_400_000;
const maxUnpackedBytes = 1024 * 1024;
const [own, other] = [1, 2];

/** The readable decoders on their own: what they make of a payload, whatever the platform makes of it. */
export class Oracle {
  readonly #tables = builtinCatalogue.measurements.map((measurement) => new ReadingTable(measurement, 64));
  readonly #series: { readonly measurement: string; readonly sensor: string }[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #names: SenmlNames;
  readonly #resolve: ResolveSeries;

  /** @param foreign  Registered, of another gateway. @param devices  What registered sensors call their fields. */
  constructor(
    sensors: readonly string[],
    foreign: readonly string[],
    devices: Readonly<Record<string, Readonly<Record<string, string>>>>,
  ) {
    const known = new Set([...sensors, ...foreign]);
    this.#names = new SenmlNames((sensor) => devices[sensor] ?? (known.has(sensor) ? {} : undefined));
    this.#resolve = (measurement, sensor) => {
      if (!known.has(sensor)) return "unknown-sensor";
      const key = `${measurement} ${sensor}`;
      let series = this.#numbers.get(key);
      if (series === undefined) {
        series = this.#series.push({ measurement, sensor }) - 1;
        this.#numbers.set(key, series);
      }
      return { series, gateway: foreign.includes(sensor) ? other : own };
    };
  }

  /** @param now  When the platform receives it, milliseconds since 1970. */
  read(format: UplinkFormat, sent: Uint8Array, now: number): Expected {
    let payload = sent;
    if (format === "lp-zstd") {
      const unpacked = decompress(sent, maxUnpackedBytes);
      if (!unpacked.ok) return { rows: [], refused: { [unpacked.tooLarge ? "too-large" : "syntax"]: 1 } };
      payload = unpacked.bytes;
    }
    const spelling = format === "lp-zstd" ? "lp" : format;
    const refused: Partial<Record<Reason, number>> = {};
    const refuse = (reason: Reason): void => void (refused[reason] = (refused[reason] ?? 0) + 1);
    const context: DecodeContext = {
      tables: this.#tables,
      gateway: own,
      now,
      maxFuture,
      maxAge,
      reject: ({ reason }) => refuse(reason),
    };
    const header = readHeader(spelling, payload);
    const { length } = payload;
    const count =
      spelling === "lp"
        ? decodeLines(payload, header.bodyStart, length, this.#resolve, context)
        : spelling === "json"
          ? decodeEnvelope(payload, this.#resolve, context)
          : decodeSenml(payload, this.#names, this.#resolve, context);
    if (headerError(header, count.accepted + count.refused) !== undefined) refuse("bad-header");
    return { rows: this.#takeRows(), refused };
  }

  #takeRows(): ExpectedRow[] {
    return this.#tables.flatMap((table) => {
      const rows = Array.from({ length: table.length }, (_, row): ExpectedRow => {
        const present = table.measurement.fields.flatMap(({ name }, field) => {
          const value = table.values[field]![row]!;
          return Number.isNaN(value) ? [] : [[name, value] as const];
        });
        const { measurement, sensor } = this.#series[table.series[row]!]!;
        return { measurement, sensor, time: table.time[row]!, fields: Object.fromEntries(present) };
      });
      table.clear();
      return rows;
    });
  }
}

/** What must become of a birth whose sensors are nobody else's: whom it registers, and one dead letter a reason. */
export function readBirth(payload: Uint8Array): { sensors: readonly string[]; letters: readonly Reason[] } {
  const parsed = parseBirth(payload, { maxSensors: 10_000 });
  if (!parsed.ok) return { sensors: [], letters: [parsed.reason] };
  return {
    sensors: parsed.birth.sensors.map(({ id }) => id),
    letters: [...new Set(parsed.refused.map(({ reason }) => reason))],
  };
}
