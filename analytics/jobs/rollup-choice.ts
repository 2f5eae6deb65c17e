import { type Rollup, rollups } from "#store/query.ts";
import type { ResultBatch } from "#store/results.ts";

const day_ms = 24 * 3_600_000;

/** From which range of a panel on a roll-up serves, ms: up to two days are 2,880 minutes, up to 62 days 1,488 hours. */
const servesFrom: Readonly<Record<Rollup, number>> = {
  rollup_1m: 0,
  rollup_1h: 2 * day_ms,
  rollup_1d: 62 * day_ms,
};
/** Beyond any range; whole in a double. */
const forever = 2 ** 52;

/** Rows that tell a dashboard which roll-up to take for its range. @param at  Their time: 0, or one that the store keeps. */
export function rollupChoice(at: number): ResultBatch {
  const from = rollups.map((rollup) => servesFrom[rollup]);
  return {
    policy: "autogen",
    measurement: "rollup_choice",
    time: new Float64Array(rollups.length).fill(at),
    series: Uint32Array.from(rollups, (_, at) => at),
    tagSets: rollups.map((policy) => ({ policy })),
    fields: [
      { name: "rollup", type: "string", values: [...rollups] },
      { name: "from_ms", type: "integer", values: Float64Array.from(from) },
      { name: "to_ms", type: "integer", values: Float64Array.from([...from.slice(1), forever]) },
    ],
  };
}
