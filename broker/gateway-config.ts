import { createHash } from "node:crypto";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import type { RecordReader, RecordStore } from "#runtime/record-store.ts";
import { ConfigReport, Revision, maxConfigBytes } from "#telemetry/config-message.ts";
import { expectGateway } from "./identities.ts";

const ConfigRecord = z.object({
  revision: Revision,
  /** null: the gateway's own file holds alone. */
  config: z.record(z.string(), z.unknown()).nullable(),
  /** ms since 1970 */
  at: z.number(),
});
const ReportRecord = ConfigReport.extend({ at: z.number() });

/** What a gateway is told to be, and what it last said of that. */
export interface GatewayConfig extends z.infer<typeof ConfigRecord> {
  readonly gateway: string;
  /** Of this or an earlier revision. */
  readonly report: z.infer<typeof ReportRecord> | undefined;
}

const table = "gateway-config";
const reports = "gateway-config-reports";

/** Every gateway that was ever told something, beside its identity (`openRecordStore`). */
export function listGatewayConfigs(records: RecordReader): GatewayConfig[] {
  return records.entries(table).map(([gateway, record]) => withReport(records, gateway, record));
}

/** undefined: it was never told anything. */
export function gatewayConfig(records: RecordReader, gateway: string): GatewayConfig | undefined {
  const record = records.get(table, gateway);
  return record === undefined ? undefined : withReport(records, gateway, record);
}

function withReport(records: RecordReader, gateway: string, record: unknown): GatewayConfig {
  const report = records.get(reports, gateway);
  return {
    gateway,
    ...ConfigRecord.parse(record),
    report: report === undefined ? undefined : ReportRecord.parse(report),
  };
}

/**
 * Keeps a configuration for a gateway; a running platform sends it. The same again changes nothing.
 * @param config  Checked; null takes it back.
 * @returns its revision, which is the same for the same configuration.
 * @throws MarsadError NOT_FOUND, CONFIG_INVALID when it is too large, RECORDS_UNWRITABLE
 */
export function setGatewayConfig(
  records: RecordStore,
  gateway: string,
  config: Readonly<Record<string, unknown>> | null,
): string {
  const text = JSON.stringify(sorted(config));
  const bytes = Buffer.byteLength(text);
  if (bytes > maxConfigBytes)
    throw new MarsadError(
      "CONFIG_INVALID",
      `a configuration has at most ${maxConfigBytes} bytes as JSON, this one ${bytes}`,
    );
  const revision = createHash("sha256").update(text).digest("hex").slice(0, 12);
  records.transaction((transaction) => {
    expectGateway(transaction, gateway);
    const former = transaction.get(table, gateway);
    if (former !== undefined && ConfigRecord.parse(former).revision === revision) return;
    transaction.put(table, gateway, { revision, config: JSON.parse(text), at: Date.now() });
  });
  return revision;
}

/** Keeps what gateways say of their configurations; writes only what is news. */
export function noteConfigReports(records: RecordStore, said: ReadonlyMap<string, ConfigReport>): void {
  const news = Array.from(said).filter(([gateway, report]) => {
    const former = records.get(reports, gateway);
    if (former === undefined) return true;
    const { at: _, ...known } = ReportRecord.parse(former);
    return JSON.stringify(sorted(known)) !== JSON.stringify(sorted(report));
  });
  if (news.length === 0) return;
  records.transaction((transaction) => {
    for (const [gateway, report] of news) transaction.put(reports, gateway, { ...report, at: Date.now() });
  });
}

/** Calls `onChange` with each configuration that any process changes, and `onGone` with the name of a gateway that was removed with its own, until `signal`. */
export function watchGatewayConfigs(
  records: RecordStore,
  { onChange, onGone }: { onChange: (config: GatewayConfig) => void; onGone: (gateway: string) => void },
  options: { signal: AbortSignal },
): void {
  const read = (): Map<string, GatewayConfig> =>
    new Map(listGatewayConfigs(records).map((config) => [config.gateway, config]));
  let before = read();
  records.watch(() => {
    const now = read();
    const changed = [...now.values()].filter(
      ({ gateway, revision, at }) =>
        before.get(gateway)?.revision !== revision || before.get(gateway)?.at !== at,
    );
    const gone = [...before.keys()].filter((gateway) => !now.has(gateway));
    before = now;
    gone.forEach(onGone);
    changed.forEach(onChange);
  }, options);
}

/** With the keys of every object in order: the same for the same settings however they were written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
