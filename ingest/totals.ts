import type { DeadLetters } from "./dead-letters.ts";
import type { Gateways } from "./gateways.ts";
import type { Group } from "./group.ts";
import type { InFlight } from "./in-flight.ts";
import type { Tallies } from "./tallies.ts";

/**
 * Readings of all gateways. `received`, `stored`, `duplicate` and `refused` count what happened since the process began and never go
 * down: a dead letter that is replayed was refused and is now stored, while the gateway's account says what it is now. `waiting`,
 * `journal` and `missing` are how many there are now.
 */
export interface IngestTotals {
  readonly received: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly refused: number;
  readonly waiting: number;
  readonly journal: number;
  readonly missing: number;
}

/** @returns what answers with the totals; made when the process begins. */
export function totalsOf(parts: {
  readonly gateways: Gateways;
  readonly tallies: Tallies;
  readonly inFlight: InFlight;
  readonly group: Group;
  readonly deadLetters: DeadLetters;
}): () => IngestTotals {
  const { gateways, tallies, inFlight, group, deadLetters } = parts;
  const before = sums(gateways, tallies);
  return () => {
    const { received, stored, duplicate, waiting, missing } = sums(gateways, tallies);
    return {
      received: received - before.received,
      stored: stored - before.stored,
      duplicate: duplicate - before.duplicate,
      refused: deadLetters.readings,
      waiting,
      journal: inFlight.readings + group.readings,
      missing,
    };
  };
}

function sums(gateways: Gateways, tallies: Tallies): Omit<IngestTotals, "refused" | "journal"> {
  const sum = { received: 0, stored: 0, duplicate: 0, waiting: 0, missing: 0 };
  for (const gateway of gateways.all()) {
    const { stored, duplicate } = tallies.of(gateway.identity.name);
    sum.received += gateway.received;
    sum.stored += stored;
    sum.duplicate += gateway.duplicate + duplicate;
    sum.waiting += gateway.waiting;
    sum.missing += gateway.outboxes.missing();
  }
  return sum;
}
