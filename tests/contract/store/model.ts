import type { GatewayTally, Store } from "#store/port.ts";
import type { FieldValue, Reading, TestJournal } from "./journal.ts";

/** What a store is, said with a Map: key = measurement, sensor, time; value = its fields. */
export class Model {
  readonly rows = new Map<string, Map<string, FieldValue>>();
  readonly #tallies = new Map<string, { stored: number; merged: number; duplicate: number }>();

  add({ measurement, sensor, time, fields, gateway = "gw-1" }: Reading): void {
    const key = `${measurement}/${sensor}/${time}`;
    const tally = this.#tallies.get(gateway) ?? { stored: 0, merged: 0, duplicate: 0 };
    this.#tallies.set(gateway, tally);
    const row = this.rows.get(key);
    if (row === undefined) {
      this.rows.set(key, new Map(Object.entries(fields)));
      tally.stored += 1;
      return;
    }
    const changes = Object.entries(fields).filter(([name, value]) => row.get(name) !== value);
    for (const [name, value] of changes) row.set(name, value);
    if (changes.length > 0) {
      tally.stored += 1;
      tally.merged += 1;
    } else tally.duplicate += 1;
  }

  tallies(): GatewayTally[] {
    return [...this.#tallies]
      .map(([gateway, tally]): GatewayTally => ({ gateway, ...tally }))
      .toSorted((a, b) => a.gateway.localeCompare(b.gateway));
  }
}

/** Everything in the store, in the model's form, read measurement by measurement. */
export async function contentOf(
  store: Pick<Store, "read">,
  journal: TestJournal,
  sensors: Readonly<Record<string, readonly string[]>>,
): Promise<Model["rows"]> {
  const rows: Model["rows"] = new Map();
  for (const [measurement, names] of Object.entries(sensors)) {
    if (names.length === 0) continue;
    const byNumber = new Map(names.map((sensor) => [journal.seriesOf(measurement, sensor), sensor]));
    const found = await store.read({
      measurement,
      series: [...byNumber.keys()],
      from: 0,
      to: Date.UTC(2100, 0),
      limit: 1_000_000,
      order: "asc",
    });
    for (const [row, time] of found.time.entries()) {
      const fields = new Map<string, FieldValue>();
      for (const [i, name] of found.fields.entries()) {
        const value = found.values[i]![row]!;
        if (value !== null) fields.set(name, value as FieldValue);
      }
      rows.set(`${measurement}/${byNumber.get(found.series[row]!)}/${time}`, fields);
    }
  }
  return rows;
}
