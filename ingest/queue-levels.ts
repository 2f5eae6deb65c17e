import type { Registry } from "prom-client";
import { type QueueLevel, observeQueues } from "#runtime/queue-metrics.ts";
import type { Gateways } from "./gateways.ts";
import type { Group } from "./group.ts";
import type { InFlight } from "./in-flight.ts";
import type { Journal } from "./journal/journal.ts";
import { groupBytes, type IngestLimits } from "./limits.ts";
import type { WaitingRoom } from "./waiting-room.ts";

/** The queues a reading passes on its way through ingest. */
export interface IngestQueues {
  readonly group: Group;
  readonly journal: Pick<Journal, "status" | "oldestWaiting">;
  readonly inFlight: InFlight;
  readonly waitingRoom: WaitingRoom;
  readonly gateways: Gateways;
  readonly limits: IngestLimits;
  /** What is under way to the journal's disk; its readings are counted in `journal`. */
  readonly commits: () => QueueLevel;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** `group` (being gathered), `commit` (groups under way to the disk), `journal` (not yet in the store) and `waiting` (of unknown sensors). */
export function observeIngestQueues(registry: Registry, queues: IngestQueues): void {
  const { group, journal, inFlight, waitingRoom, limits, commits } = queues;
  observeQueues(registry, "ingest", "readings", [
    {
      name: "group",
      bound_bytes: groupBytes(limits),
      level: () => ({ depth: group.readings, bytes: group.bytes, oldest_ms: group.oldest_ms }),
    },
    { name: "commit", level: commits },
    {
      name: "journal",
      bound_bytes: limits.journal_bytes,
      level: async () => {
        const { liveBytes } = await journal.status();
        return { depth: inFlight.readings, bytes: liveBytes, oldest_ms: inFlight.oldest_ms };
      },
    },
    {
      name: "waiting",
      bound_bytes: limits.waiting_bytes,
      level: async () => ({ ...(await waiting(queues)), bytes: waitingRoom.bytes }),
    },
  ]);
}

async function waiting({
  gateways,
  journal,
  now,
}: IngestQueues): Promise<{ depth: number; oldest_ms: number }> {
  const waits = [...gateways.all()].filter(({ waiting: readings }) => readings > 0);
  const depth = waits.reduce((sum, { waiting: readings }) => sum + readings, 0);
  const oldest = await journal.oldestWaiting(waits.map(({ identity }) => identity.name));
  return { depth, oldest_ms: oldest === undefined ? 0 : Math.max(0, now() - oldest) };
}
