import { Births } from "./births.ts";
import { Committer } from "./committer.ts";
import { DeadLetterReplay } from "./dead-letter-replay.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Decoder } from "./decoder.ts";
import { Group } from "./group.ts";
import type { IngestOptions } from "./ingest.ts";
import { Intake } from "./intake.ts";
import { groupBytes } from "./limits.ts";
import type { Journal } from "./journal/journal.ts";
import { Notices } from "./notices.ts";
import type { Restored } from "./restore.ts";
import { deviceNames, seriesResolver } from "./series-resolver.ts";
import { WaitingReplay } from "./waiting-replay.ts";
import { WaitingRoom } from "./waiting-room.ts";
import { StoreRefusals } from "./store-refusals.ts";
import { StoreWriter } from "./writer.ts";

const day = 86_400_000;

/** The clock as it was when the program started, and what has passed since. */
const sinceStart = (): number => performance.timeOrigin + performance.now();

/** What ingest is made of. */
export interface Parts {
  readonly group: Group;
  readonly decoder: Decoder;
  readonly committer: Committer;
  readonly writer: StoreWriter;
  readonly deadLetters: DeadLetters;
  readonly notices: Notices;
  readonly waitingRoom: WaitingRoom;
  readonly waitingReplay: WaitingReplay;
  readonly deadLetterReplay: DeadLetterReplay;
  readonly intake: Intake;
}

/** Puts the parts together; nothing moves yet. */
export function makeParts(
  options: IngestOptions,
  { journal, end, restored }: { journal: Journal; end: number; restored: Restored },
  { signal, onFailure }: { signal: AbortSignal; onFailure: (error: unknown) => void },
): Parts {
  const {
    catalogue,
    downlink,
    limits,
    log,
    registry,
    store,
    now = Date.now,
    steadyNow = sinceStart,
  } = options;
  const { dictionary, gateways, inFlight, tallies, adopted, refused, refusalsTaken } = restored;
  const group = new Group(catalogue);
  group.adopt(adopted.series, adopted.storeBase);
  const decoder = new Decoder({
    catalogue,
    tables: group.tables,
    maxAge: limits.max_age_days * day,
    maxFuture: limits.max_future_seconds * 1_000,
    resolve: seriesResolver({ registry, dictionary, gateways, group }),
    deviceNames: deviceNames(registry),
  });
  const committer = new Committer({
    journal,
    group,
    inFlight,
    groupBytes: groupBytes(limits),
    gatewayName: gateways.nameOf,
    onCommitted: (next): void => writer.committedTo(next),
    onFailure,
  });
  const notices = new Notices(downlink);
  const deadLetters = new DeadLetters(group);
  const storeRefusals = new StoreRefusals({ group, gateways, deadLetters, notices, now }, refusalsTaken);
  const writer = new StoreWriter(
    {
      journal,
      store,
      inFlight,
      batchReadings: limits.batch_readings,
      batchMaxAge: limits.batch_max_age,
      log,
      signal,
      onStored: (made) => {
        tallies.take(made);
        storeRefusals.take(made.refused);
      },
      refusalsKept: () => committer.settled(),
      refusalsPending: refused.length > 0,
    },
    end,
  );
  storeRefusals.take(refused);
  const waitingRoom = new WaitingRoom({
    group,
    bytesPerGateway: limits.waiting_bytes_per_gateway,
    bytes: limits.waiting_bytes,
  });
  for (const gateway of gateways.all()) waitingRoom.restore(gateway);
  const shared = {
    group,
    decoder,
    committer,
    gateways,
    journal,
    waitingRoom,
    deadLetters,
    notices,
    now,
    signal,
  };
  const maxWait = limits.waiting_days * day;
  const waitingReplay = new WaitingReplay({ ...shared, maxWait, steadyNow, onFailure, log });
  const births = new Births({
    registry,
    deadLetters,
    notices,
    sensorsPerGateway: limits.sensors_per_gateway,
    onChanged: (gateway) => {
      // Whose a sensor is no birth changes; what it is called it may, from the next message on. The registry's word comes a turn later.
      decoder.forgetSeries(gateway.identity.agency, true);
      waitingReplay.sensorsChanged(gateway);
    },
    log,
  });
  const intake = new Intake({ ...shared, births });
  const deadLetterReplay = new DeadLetterReplay(shared);
  return {
    group,
    decoder,
    committer,
    writer,
    deadLetters,
    notices,
    waitingRoom,
    waitingReplay,
    deadLetterReplay,
    intake,
  };
}
