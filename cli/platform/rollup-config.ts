import { z } from "zod";

/** The job counts on two days more than a roll-up needs: see docs/rollups.md. */
const days = z.coerce.number().int().min(3).max(36_500).optional();

/** Roll-ups, and for how long rows are kept; keys of the platform's configuration. */
export const rollupShape = {
  rollup_interval_s: z.coerce.number().min(0.1).max(3600).default(10).meta({
    env: "MARSAD_ROLLUP_INTERVAL_S",
    unit: "s",
    description: "How long after a roll-up the next one begins; see docs/rollups.md.",
  }),
  retention_days: days.meta({
    env: "MARSAD_RETENTION_DAYS",
    unit: "d",
    description: "How long readings are kept; left out: for ever. Whole days' (or months') rows go at once.",
  }),
  rollup_1m_days: days.meta({
    env: "MARSAD_ROLLUP_1M_DAYS",
    unit: "d",
    description: "How long roll-ups of a minute are kept; left out: for ever. See docs/rollups.md.",
  }),
  rollup_1h_days: days.meta({
    env: "MARSAD_ROLLUP_1H_DAYS",
    unit: "d",
    description: "The same of an hour; not less than those of a minute.",
  }),
  rollup_1d_days: days.meta({
    env: "MARSAD_ROLLUP_1D_DAYS",
    unit: "d",
    description: "The same of a day; not less than those of an hour.",
  }),
};

type Kept = Readonly<Partial<Record<`rollup_${"1m" | "1h" | "1d"}_days`, number | undefined>>>;

/** A coarser roll-up is made of the finer one, and is there for what is older: it is kept as long at least. */
export function keepsCoarserLonger({ rollup_1m_days, rollup_1h_days, rollup_1d_days }: Kept): boolean {
  const [minutes, hours, wholeDays] = [rollup_1m_days, rollup_1h_days, rollup_1d_days].map(
    (kept) => kept ?? Infinity,
  ) as [number, number, number];
  return minutes <= hours && hours <= wholeDays;
}
