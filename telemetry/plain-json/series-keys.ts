import type { Measurement } from "../catalogue.ts";
import { checkSensor } from "../check.ts";
import type { DecodeContext, ResolveSeries } from "../decode.ts";
import { hashByte, hashSeed } from "../line-protocol/series-index.ts";
import type { SeriesIndex } from "../line-protocol/series-index.ts";
import { maxSensorIdLength } from "../names.ts";
import { plainText } from "./values.ts";

interface Prefix {
  /** `measurement,sensor=` */
  readonly bytes: Uint8Array;
  readonly hash: number;
}

const encoder = new TextEncoder();

/** Series by measurement and sensor, found under the keys that line protocol has for them: an agency's formats share one index. */
export class SeriesKeys {
  readonly #prefixes: Prefix[] = [];
  /** A key is put together here; it begins with the prefix of `#measurement`. */
  #key = new Uint8Array(256);
  #measurement = -1;

  addMeasurements(measurements: readonly Measurement[]): void {
    for (const { name } of measurements) {
      const bytes = encoder.encode(`${name},sensor=`);
      this.#prefixes.push({ bytes, hash: bytes.reduce(hashByte, hashSeed) });
    }
  }

  /**
   * The index's entry of a sensor's series, which is added when it is new.
   * @param measurement  Its index in the catalogue.
   * @param bytes  The sensor's id: `start` to `end`.
   * @returns -1: there is no such series, or it may not be written to.
   */
  find(
    measurement: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    index: SeriesIndex,
    resolve: ResolveSeries,
    context: DecodeContext,
  ): number {
    if (end - start > maxSensorIdLength) return -1;
    const prefix = this.#prefixes[measurement]!;
    const key = this.#key;
    let length = prefix.bytes.length;
    if (measurement !== this.#measurement) {
      key.set(prefix.bytes);
      this.#measurement = measurement;
    }
    let { hash } = prefix;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at]!;
      hash = hashByte(hash, byte);
      key[length] = byte;
      length += 1;
    }
    const entry = index.find(key, 0, length, hash);
    if (entry !== -1) return entry;
    const { name } = context.tables[measurement]!.measurement;
    const handle = checkSensor(name, plainText(bytes, start, end), resolve);
    return "reason" in handle ? -1 : index.add(key, 0, length, hash, measurement, handle);
  }
}
