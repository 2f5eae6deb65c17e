import { MarsadError } from "#runtime/errors.ts";
import type { GatewayTally, Store, StoreRefusal } from "#store/port.ts";
import { countByGateway, decodeBlock } from "#telemetry/block.ts";
import type { SeriesTable } from "#telemetry/series-table.ts";
import type { SeriesEntry } from "#telemetry/series.ts";
import { Gateways } from "./gateways.ts";
import { InFlight } from "./in-flight.ts";
import type { Journal } from "./journal/journal.ts";
import { type JournalSnapshot, LedgerRecord } from "./journal/messages.ts";
import { SeriesDictionary } from "./series-dictionary.ts";
import { Tallies } from "./tallies.ts";

const recoveryBytes = 8 * 1024 * 1024;

/** What ingest goes on from. */
export interface Restored {
  readonly dictionary: SeriesDictionary;
  readonly gateways: Gateways;
  readonly inFlight: InFlight;
  readonly tallies: Tallies;
  /** What the store refused and still keeps, and the position before which the journal has such refusals. */
  readonly refused: readonly StoreRefusal[];
  readonly refusalsTaken: number;
  /** What the journal lacks and must keep with its first commit. */
  readonly adopted: {
    readonly series: readonly SeriesEntry[];
    readonly storeBase: readonly GatewayTally[] | undefined;
  };
}

/**
 * Brings journal and store together after a start: what was in flight, the dictionary, the ledgers.
 * @throws MarsadError STORE_FORMAT: they do not belong together, or one of them lost what it had kept. QUEUE_CORRUPT
 */
export async function restore(journal: Journal, snapshot: JournalSnapshot, store: Store): Promise<Restored> {
  const stored = await store.position(journal.uuid);
  checkPositions(stored, snapshot);
  const gateways = restoreGateways(snapshot);
  const inFlight = await countInFlight(journal, gateways, stored, snapshot.next);
  const { dictionary, adopted } = restoreDictionary(snapshot.series, await store.series());
  const tallies = await store.tallies();
  // A journal that has not begun was put beside this store, which has counted for another one before.
  const storeBase = snapshot.storeBase ?? (snapshot.next === 0 ? tallies : []);
  return {
    dictionary,
    gateways,
    inFlight,
    tallies: new Tallies(tallies, storeBase),
    refused: await store.refusals(journal.uuid),
    refusalsTaken: snapshot.refusalsTaken,
    adopted: { series: adopted, storeBase: snapshot.storeBase ? undefined : storeBase },
  };
}

function checkPositions(stored: number, { first, next }: JournalSnapshot): void {
  if (stored > next) {
    throw new MarsadError(
      "STORE_FORMAT",
      `the store has blocks up to ${stored} of this journal, which ends at ${next}: the journal was put back to an older state`,
    );
  }
  if (stored < first) {
    throw new MarsadError(
      "STORE_FORMAT",
      `the journal has given up its blocks before ${first} to a store that kept them, and this store has those before ${stored}: it was ` +
        "removed or put back to an older state; restore both from one backup, or move the journal's folder away to go on without",
    );
  }
}

/** @throws MarsadError QUEUE_CORRUPT */
function restoreGateways({ ledgers, outboxes }: JournalSnapshot): Gateways {
  const gateways = new Gateways();
  const ofGateway = Map.groupBy(outboxes, ({ gateway }) => gateway);
  for (const row of ledgers) {
    const parsed = LedgerRecord.safeParse(row);
    if (!parsed.success) {
      throw new MarsadError("QUEUE_CORRUPT", `the ledger of ${row.gateway} cannot be read`, {
        cause: parsed.error,
      });
    }
    const gateway = gateways.known({ name: parsed.data.gateway, agency: parsed.data.agency });
    gateway.restore(parsed.data);
    gateway.outboxes.restore(ofGateway.get(parsed.data.gateway) ?? []);
  }
  return gateways;
}

/** Counts what the journal holds beyond the store's position. */
async function countInFlight(
  journal: Journal,
  gateways: Gateways,
  stored: number,
  next: number,
): Promise<InFlight> {
  const inFlight = new InFlight(stored);
  while (inFlight.next < next) {
    const { first, blocks } = await journal.read(inFlight.next, recoveryBytes);
    if (blocks.length === 0 || first !== inFlight.next) {
      throw new MarsadError(
        "QUEUE_CORRUPT",
        `the journal has no block ${inFlight.next}, and the store has none either`,
      );
    }
    for (const block of blocks) {
      const counts = Array.from(countByGateway(decodeBlock(block)));
      inFlight.add(counts.flatMap(([gateway, readings]) => [gateways.numberOf(gateway), readings]));
    }
  }
  return inFlight;
}

/** Numbers must mean the same series in both; a new journal beside an old store takes the store's. */
function restoreDictionary(
  ofJournal: SeriesTable,
  ofStore: SeriesTable,
): { dictionary: SeriesDictionary; adopted: SeriesEntry[] } {
  // As it mostly is; a million of them one by one would take a second.
  const isKnown = ofJournal.beginsWith(ofStore);
  const dictionary = new SeriesDictionary(ofJournal);
  const adopted: SeriesEntry[] = [];
  for (const entry of isKnown ? [] : ofStore) {
    const isNew = !dictionary.has(entry.series);
    if (!dictionary.restore(entry)) throw contradiction(entry);
    if (isNew) adopted.push(entry);
  }
  return { dictionary, adopted };
}

function contradiction({ series, agency, measurement, sensor }: SeriesEntry): MarsadError {
  return new MarsadError(
    "STORE_FORMAT",
    `series ${series} is ${measurement} of ${agency}/${sensor} in the store, and another one in the journal: they do not belong to one data folder`,
  );
}
