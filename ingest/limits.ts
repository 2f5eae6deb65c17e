import { z } from "zod";

const MiB = 1024 * 1024;
const bytes = (env: string, initial: number, description: string) =>
  z.coerce.number().int().positive().default(initial).meta({ env, unit: "By", description });
const days = (env: string, initial: number, description: string) =>
  z.coerce.number().positive().default(initial).meta({ env, unit: "d", description });

/** What ingest takes, keeps and holds back; every queue's bound stands here. */
export const IngestLimits = z.strictObject({
  max_age_days: days("MARSAD_MAX_AGE_DAYS", 400, "Readings older than this are refused (`too-old`)."),
  max_future_seconds: z.coerce.number().nonnegative().default(300).meta({
    env: "MARSAD_MAX_FUTURE_SECONDS",
    unit: "s",
    description: "Readings further ahead of the platform's clock are refused (`future`).",
  }),
  sensors_per_gateway: z.coerce
    .number()
    .int()
    .positive()
    .default(10_000)
    .meta({ env: "MARSAD_SENSORS_PER_GATEWAY", description: "Sensors one gateway may register." }),
  journal_bytes: bytes(
    "MARSAD_JOURNAL_BYTES",
    2048 * MiB,
    "Readings on disk and not yet in the store; full means no PUBACK.",
  ),
  journal_file_bytes: bytes(
    "MARSAD_JOURNAL_FILE_BYTES",
    8192 * MiB,
    "Size the journal's file may reach; it never shrinks.",
  ),
  waiting_bytes_per_gateway: bytes(
    "MARSAD_WAITING_BYTES_PER_GATEWAY",
    16 * MiB,
    "Readings of unknown sensors kept for one gateway; full means no PUBACK for further ones.",
  ),
  waiting_bytes: bytes("MARSAD_WAITING_BYTES", 256 * MiB, "The same for all gateways together."),
  waiting_days: days(
    "MARSAD_WAITING_DAYS",
    7,
    "How long a reading of an unknown sensor waits; then it is refused (`unknown-sensor`).",
  ),
  dead_letter_bytes_per_gateway: bytes(
    "MARSAD_DEAD_LETTER_BYTES_PER_GATEWAY",
    64 * MiB,
    "Refused bytes kept for one gateway; beyond it the oldest go.",
  ),
  dead_letter_bytes: bytes(
    "MARSAD_DEAD_LETTER_BYTES",
    1024 * MiB,
    "The same for all gateways together; beyond it the oldest of the gateway with the most go.",
  ),
  dead_letter_days: days("MARSAD_DEAD_LETTER_DAYS", 30, "How long refused bytes are kept."),
  group_bytes: bytes(
    "MARSAD_GROUP_BYTES",
    4 * MiB,
    "Readings gathered for one journal commit while the one before is under way.",
  ),
  recent_bytes: bytes(
    "MARSAD_RECENT_BYTES",
    16 * MiB,
    "Readings on disk kept in memory, too, until the store has them; beyond it they are read back.",
  ),
  batch_readings: z.coerce.number().int().positive().default(20_000).meta({
    env: "MARSAD_BATCH_READINGS",
    unit: "{reading}",
    description: "Readings InfluxDB is given at a time, about; DuckDB gets up to five times as many.",
  }),
  batch_max_age: z.coerce.number().positive().default(250).meta({
    env: "MARSAD_BATCH_MAX_AGE",
    unit: "ms",
    description: "Longest wait for a batch to fill before the store gets it.",
  }),
});
export type IngestLimits = z.infer<typeof IngestLimits>;

/** What a group may hold: one larger than the journal, gathered while that was full, would never get into it. */
export function groupBytes({ group_bytes, journal_bytes }: IngestLimits): number {
  return Math.min(group_bytes, Math.ceil(journal_bytes / 4));
}
