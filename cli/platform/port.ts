import type { JobStatus } from "#analytics/jobs/job.ts";
import type { PlatformPort } from "#api/ports.ts";
import type { Authenticate } from "#broker/admission.ts";
import type { Broker } from "#broker/broker.ts";
import type { Ingest } from "#ingest/ingest.ts";
import type { Registry } from "#ingest/registry/registry.ts";
import { takeRequest } from "#ingest/request-session.ts";
import type { Store } from "#store/port.ts";
import { type DeadLetter, DeadLetter as DeadLetterSchema, type GatewayAccount } from "#telemetry/account.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import type { SeriesEntry } from "#telemetry/series.ts";

/** What the HTTP face may ask, answered by the parts that know. */
export function platformPort(parts: {
  readonly catalogue: () => Catalogue;
  /** The gateways that may connect. */
  readonly admitted: () => readonly GatewayIdentity[];
  readonly authenticate: Authenticate;
  readonly broker: Broker;
  readonly ingest: Ingest;
  readonly registry: Registry;
  readonly store: Store;
  readonly jobs: () => JobStatus[];
}): PlatformPort {
  const { admitted, authenticate, catalogue, broker, ingest, registry, store, jobs } = parts;
  const connected = (): Set<string> => new Set(Array.from(broker.connected(), ({ gateway }) => gateway.name));
  return {
    get catalogue() {
      return catalogue();
    },
    health() {
      const { journal, store: writing } = ingest.trouble();
      const troubles = {
        broker: undefined,
        journal,
        registry: registry.trouble(),
        store: writing ?? store.trouble(),
      };
      const parts = Object.entries(troubles).map(([name, why]) => ({
        name: name as keyof typeof troubles,
        ok: why === undefined,
        why,
      }));
      return { ready: parts.every(({ ok }) => ok), parts };
    },
    series(sensors) {
      const now = Date.now();
      return Array.from(ingest.series(sensors), (entry) => new RegisteredSeries(entry, registry, now));
    },
    read: async (query) => await store.read(query),
    query: async (request) => await store.query(request),
    gateway: async (name, password) => await authenticate(name, Buffer.from(password)),
    write: async (gateway, pieces, signal) => await takeRequest(ingest.accept, gateway, pieces, signal),
    async accounts() {
      const online = connected();
      // Those that may connect, and those that no longer may but have sent something.
      const known = new Map([...admitted(), ...ingest.gateways()].map(({ name, agency }) => [name, agency]));
      return Array.from(known, ([name, agency]): GatewayAccount => {
        const presence = { connected: online.has(name), sensors: registry.sensorCount(name) };
        return ingest.account(name, presence) ?? neverHeard({ name, agency }, presence);
      }).sort((a, b) => a.gateway.localeCompare(b.gateway));
    },
    async totals() {
      return { ...ingest.totals(), gateways_connected: connected().size };
    },
    jobs,
    deadLetters: {
      list: async (filter) => (await ingest.deadLetters(filter)).map(withoutPayload),
      show: async (id) => (await ingest.deadLetters({ id, limit: 1 }))[0],
      replay: async (filter) => await ingest.replayDeadLetters(filter),
    },
  };
}

/** A series, and what the registry says of its sensor when it is asked: most requests ask it of few. */
class RegisteredSeries implements SeriesEntry {
  readonly series: number;
  readonly measurement: string;
  readonly agency: string;
  readonly sensor: string;
  readonly #registry: Registry;
  readonly #now: number;

  constructor({ series, measurement, agency, sensor }: SeriesEntry, registry: Registry, now: number) {
    this.series = series;
    this.measurement = measurement;
    this.agency = agency;
    this.sensor = sensor;
    this.#registry = registry;
    this.#now = now;
  }

  get attributes(): SensorAttributes | undefined {
    return this.#registry.attributes(this.agency, this.sensor, this.#now);
  }

  get gateway(): string | undefined {
    return this.#registry.lookup(this.agency, this.sensor)?.gateway;
  }
}

/** The ledger of a gateway that has not sent anything yet. */
function neverHeard(
  { name, agency }: GatewayIdentity,
  presence: { connected: boolean; sensors: number },
): GatewayAccount {
  return {
    gateway: name,
    agency,
    ...presence,
    last_seen: null,
    sent: 0,
    stored: 0,
    merged: 0,
    duplicate: 0,
    refused: 0,
    refused_by_reason: {},
    on_its_way: { waiting: 0, journal: 0, missing: 0 },
    missing: [],
    balanced: true,
  };
}

function withoutPayload(letter: DeadLetter): DeadLetter {
  return DeadLetterSchema.parse(letter);
}
