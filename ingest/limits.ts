import { z } from "zod";

const MiB = 1024 * 1024;
const bytes = (initial: number, description: string) =>
  z.coerce.number().int().positive().default(initial).meta({ unit: "By", description });

/** What ingest takes, keeps and holds back; every queue's bound stands here. */
export const IngestLimits = z.strictObject({
  max_age_days: z.coerce
    .number()
    .positive()
    .default(400)
    .meta({ env: "MARSAD_MAX_AGE_DAYS", unit: "d", description: "Readings older than this are refused (`too-old`)." }),
  max_future_seconds: z.coerce
    .number()
    .nonnegative()
    .default(300)
    .meta({
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
  journal_bytes: bytes(2048 * MiB, "Readings on disk and not yet in the store; full means no PUBACK.").meta({
    env: "MARSAD_JOURNAL_BYTES",
  }),
  journal_file_bytes: bytes(8192 * MiB, "Size the journal's file may reach; it never shrinks.").meta({
    env: "MARSAD_JOURNAL_FILE_BYTES",
  }),
  waiting_bytes_per_gateway: bytes(
    16 * MiB,
    "Readings of unknown sensors kept for one gateway; full means no PUBACK for further ones.",
  ).meta({ env: "MARSAD_WAITING_BYTES_PER_GATEWAY" }),
  dead_letter_bytes_per_gateway: bytes(64 * MiB, "Refused bytes kept for one gateway; beyond it the oldest go.").meta({
    env: "MARSAD_DEAD_LETTER_BYTES_PER_GATEWAY",
  }),
  dead_letter_days: z.coerce
    .number()
    .positive()
    .default(30)
    .meta({ env: "MARSAD_DEAD_LETTER_DAYS", unit: "d", description: "How long refused bytes are kept." }),
  group_bytes: bytes(4 * MiB, "Readings gathered for one journal commit while the one before is under way.").meta({
    env: "MARSAD_GROUP_BYTES",
  }),
  batch_readings: z.coerce
    .number()
    .int()
    .positive()
    .default(20_000)
    .meta({ env: "MARSAD_BATCH_READINGS", unit: "{reading}", description: "Readings the store is given at a time, about." }),
  batch_max_age: z.coerce
    .number()
    .positive()
    .default(250)
    .meta({ env: "MARSAD_BATCH_MAX_AGE", unit: "ms", description: "Longest wait for a batch to fill before the store gets it." }),
});
export type IngestLimits = z.infer<typeof IngestLimits>;
