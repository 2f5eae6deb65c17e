import { join } from "node:path";
import { pino } from "pino";
import { Registry as Metrics } from "prom-client";
import { expect } from "vitest";
import { type Ingest, openIngest } from "#ingest/ingest.ts";
import { IngestLimits } from "#ingest/limits.ts";
import { type Registry, openRegistry } from "#ingest/registry/registry.ts";
import type { Accept, IngestSession } from "#ingest/source.ts";
import { openDuckDbStore } from "#store/duckdb/index.ts";
import type { Store } from "#store/port.ts";
import type { GatewayAccount } from "#telemetry/account.ts";
import { formatBatchHeader } from "#telemetry/batch-header.ts";
import { formatBirth } from "#telemetry/birth.ts";
import { builtinCatalogue } from "#telemetry/builtin-catalogue.ts";
import type { Catalogue } from "#telemetry/catalogue.ts";
import { type Nack, parseNack } from "#telemetry/nack.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { UplinkChannel } from "#telemetry/topic.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const silent = pino({ level: "silent" });

/** What the platform told a gateway. */
export interface Told {
  readonly gateway: string;
  readonly nack?: Nack;
  readonly rebirth?: true;
}

export interface City extends AsyncDisposable {
  readonly registry: Registry;
  readonly store: Store;
  readonly told: readonly Told[];
  /** The journal's folder. */
  readonly journal: string;
  /** Of the ingest that runs now. */
  readonly ingest: Ingest;
  /** Closes ingest in order and opens it again on the same folders; `between` sees both closed. */
  restart(between?: () => void | Promise<void>): Promise<void>;
  session(gateway?: GatewayIdentity): Session;
  account(gateway?: string): GatewayAccount;
  /** Once nothing is on its way any more but what waits; the ledger balances. */
  settled(gateway?: string): Promise<GatewayAccount>;
  /** Readings of a measurement in the store, as `sensor time field=value …`, sorted. */
  stored(measurement?: string): Promise<string[]>;
}

export interface CityOptions {
  /** Where everything lies; by default a folder that goes with the city. */
  readonly folder?: string;
  readonly limits?: Partial<IngestLimits>;
  /** Where the journal lies; below the city's folder by default. */
  readonly journal?: string;
  /** Where the store lies; the same. */
  readonly storeFolder?: string;
  /** Asked for at each opening. */
  readonly catalogue?: Catalogue;
  readonly now?: () => number;
  /** By default `now`. */
  readonly steadyNow?: () => number;
  /** Stands between ingest and the store. */
  readonly wrap?: (store: Store) => Store;
}

export const corniche: GatewayIdentity = { name: "corniche-1", agency: "mobility" };

/** Ingest as the platform runs it, with a real journal, registry and DuckDB in a folder of its own. */
export async function openCity(options: CityOptions = {}): Promise<City> {
  await using resources = new AsyncDisposableStack();
  const folder = options.folder ?? resources.use(tempFolder("ingest")).path;
  const { now, steadyNow = now, wrap = (store: Store) => store } = options;
  const limits = IngestLimits.parse({ batch_max_age: 5, ...options.limits });
  const registry = resources.use(
    await openRegistry({
      path: join(folder, "registry"),
      limits: { sensorsPerGateway: limits.sensors_per_gateway },
      log: silent,
    }),
  );
  const store = resources.use(
    await openDuckDbStore({ path: options.storeFolder ?? join(folder, "store"), log: silent }),
  );
  const told: Told[] = [];
  const journal = options.journal ?? join(folder, "journal");
  const open = (): Promise<Ingest> =>
    openIngest({
      path: journal,
      catalogue: options.catalogue ?? builtinCatalogue,
      registry,
      store: wrap(store),
      limits,
      downlink: ({ name }, channel, payload) =>
        told.push(channel === "nack" ? toldNack(name, payload) : { gateway: name, rebirth: true }),
      log: silent,
      metrics: new Metrics(),
      ...(now && { now }),
      ...(steadyNow && { steadyNow }),
    });
  let ingest = await open();
  resources.defer(() => ingest[Symbol.asyncDispose]());
  const all = resources.move();
  const account = (gateway = corniche.name): GatewayAccount => {
    const found = ingest.account(gateway, { connected: true, sensors: registry.sensorCount(gateway) });
    if (!found) throw new Error(`ingest knows no gateway ${gateway}`);
    return found;
  };
  return {
    registry,
    store,
    told,
    journal,
    get ingest() {
      return ingest;
    },
    async restart(between = () => undefined) {
      await ingest[Symbol.asyncDispose]();
      await between();
      ingest = await open();
    },
    session: (gateway = corniche) =>
      new Session(gateway, (session, channel, payload) => ingest.accept(session, channel, payload)),
    account,
    async settled(gateway = corniche.name) {
      await poll(() => ingest.totals().journal === 0, { interval: 5 });
      const settled = account(gateway);
      expect(settled).toMatchObject({ balanced: true, on_its_way: { journal: 0 } });
      return settled;
    },
    stored: (measurement = "traffic_flow") => readAll(store, measurement),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function toldNack(gateway: string, payload: string): Told {
  const parsed = parseNack(Buffer.from(payload));
  if (!parsed.ok) throw new Error(parsed.detail);
  return { gateway, nack: parsed.message };
}

async function readAll(store: Store, measurement: string): Promise<string[]> {
  const entries = Array.from(await store.series()).filter((entry) => entry.measurement === measurement);
  if (entries.length === 0) return [];
  const sensors = new Map(entries.map(({ series, sensor }) => [series, sensor]));
  const { fields, time, series, values } = await store.read({
    measurement,
    series: Array.from(sensors.keys()),
    from: 0,
    to: Date.UTC(2100, 0),
    limit: 1_000_000,
    order: "asc",
  });
  return time
    .map((at, row) => {
      const present = fields.flatMap((field, i) => {
        const value = values[i]?.[row];
        return value === null ? [] : [`${field}=${String(value)}`];
      });
      return [sensors.get(series[row]!), at, ...present].join(" ");
    })
    .sort();
}

interface Message {
  readonly channel: UplinkChannel;
  readonly payload: Uint8Array;
  readonly acknowledged: PromiseWithResolvers<void>;
}

/** One connection, as the broker's `Session` treats ingest: messages in order, a held one offered again, PUBACKs counted. */
export class Session implements IngestSession {
  readonly gateway: GatewayIdentity;
  readonly #accept: Accept;
  readonly #taken: Message[] = [];
  #held: Message[] = [];
  #ended = false;
  acknowledgedMessages = 0;

  constructor(gateway: GatewayIdentity, accept: Accept) {
    this.gateway = gateway;
    this.#accept = accept;
  }

  /** Messages that ingest did not take. */
  get held(): number {
    return this.#held.length;
  }

  /** Taken messages without PUBACK. */
  get inFlight(): number {
    return this.#taken.length;
  }

  /** Resolves with the PUBACK. */
  async send(payload: string | Uint8Array, channel: UplinkChannel = "lp"): Promise<void> {
    const bytes = Buffer.from(payload);
    const message = { channel, payload: bytes, acknowledged: Promise.withResolvers<void>() };
    const mustWait = this.#held.length > 0 && channel !== "birth";
    if (mustWait || !this.#offer(message)) this.#held.push(message);
    await message.acknowledged.promise;
  }

  async birth(sensors: readonly string[]): Promise<void> {
    await this.send(
      formatBirth({ agent: "test", sensors: sensors.map((id) => ({ id, place: "QA-DA" })) }),
      "birth",
    );
  }

  acknowledge(count: number): void {
    if (this.#ended) return;
    if (count > this.#taken.length)
      throw new RangeError(`acknowledged ${count} of ${this.#taken.length} messages`);
    this.acknowledgedMessages += count;
    for (const { acknowledged } of this.#taken.splice(0, count)) acknowledged.resolve();
  }

  resume(): void {
    while (!this.#ended && this.#held[0] && this.#offer(this.#held[0])) this.#held.shift();
  }

  /** The connection breaks: nothing is heard any more, held messages are gone. */
  end(): void {
    this.#ended = true;
    this.#held = [];
  }

  #offer(message: Message): boolean {
    this.#taken.push(message);
    // As in a socket's buffer: the bytes are valid during the call only, and among others.
    const buffer = Buffer.alloc(message.payload.length + 64, "x");
    buffer.set(message.payload, 32);
    const taken = this.#accept(this, message.channel, buffer.subarray(32, 32 + message.payload.length));
    buffer.fill(0);
    if (!taken) this.#taken.pop();
    return taken;
  }
}

/** A full second, a day ago. */
export const start = Math.floor(Date.now() / 1_000) * 1_000 - 86_400_000;

/** One reading of a detector, `second` seconds after `start`. */
export function flow(sensor: string, second: number, vehicles = Math.abs(second) % 600): string {
  return `traffic_flow,sensor=${sensor} vehicles=${vehicles} ${start + second * 1_000}\n`;
}

/** Readings `from` … `to - 1`, one a second. */
export function flows(sensor: string, from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => flow(sensor, from + i)).join("");
}

export function numbered(outbox: string, first: number, n: number, body: string): string {
  return formatBatchHeader({ outbox, first, n }) + body;
}

/** What `stored` says of them. */
export function storedFlows(sensor: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => storedFlow(sensor, from + i)).sort();
}

export function storedFlow(sensor: string, second: number, vehicles = Math.abs(second) % 600): string {
  return `${sensor} ${start + second * 1_000} vehicles=${vehicles}`;
}
