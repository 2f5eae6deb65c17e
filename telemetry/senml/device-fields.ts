import { hashByte, hashSeed, SeriesIndex } from "../line-protocol/series-index.ts";

/** Names with their units that are remembered; with one more all are forgotten. Units may be spelled in many ways. */
const most = 65_536;

/** What devices' own names stand for, by the bytes of name and unit: an entry of the agency's series index, and a field by its index. */
export class DeviceFields {
  readonly #index = new SeriesIndex();
  readonly #fields: number[] = [];

  /** What was found last. */
  entry = -1;
  field = -1;

  /** @returns false: it is not known. */
  find(key: Uint8Array, length: number): boolean {
    const found = this.#index.find(key, 0, length, hashOf(key, length));
    if (found === -1) return false;
    this.entry = this.#index.series[found]!;
    this.field = this.#fields[found]!;
    return true;
  }

  /** @param entry  In the agency's series index. */
  add(key: Uint8Array, length: number, entry: number, field: number): void {
    if (this.#fields.length === most) this.clear();
    this.#index.add(key, 0, length, hashOf(key, length), 0, { series: entry, gateway: 0 });
    this.#fields.push(field);
    this.entry = entry;
    this.field = field;
  }

  clear(): void {
    this.#index.clear();
    this.#fields.length = 0;
  }
}

function hashOf(key: Uint8Array, length: number): number {
  let hash = hashSeed;
  for (let at = 0; at < length; at += 1) hash = hashByte(hash, key[at]!);
  return hash;
}
