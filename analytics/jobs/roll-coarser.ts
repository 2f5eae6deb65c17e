import { rollCoarser } from "#analytics/rollup/coarser.ts";
import { seriesOf } from "#analytics/rollup/feed.ts";
import type { Periods } from "#analytics/rollup/periods.ts";
import type { RollupPlan } from "#analytics/rollup/plan.ts";
import type { Touched } from "#analytics/rollup/touched.ts";
import type { Store } from "#store/port.ts";
import type { Rollup } from "#store/query.ts";
import { GiveWay } from "./give-way.ts";
import type { RollupWriter } from "./rollup-writer.ts";

/** Makes the windows that were touched anew of all the finer rows in them. Rows from before `since` are forgotten. */
export async function rollTouched(
  {
    store,
    plan,
    periods,
    since,
  }: { store: Pick<Store, "rows">; plan: RollupPlan; periods: Periods; since: number },
  { finer, coarser }: { readonly finer: Rollup; readonly coarser: Rollup },
  touched: Touched,
  writer: RollupWriter,
): Promise<void> {
  const columns = plan.columns.map(({ name }) => name);
  const giveWay = new GiveWay();
  for (const { from, to, series } of touched.windows()) {
    if (from < since) continue;
    const query = { policy: finer, measurement: plan.measurement, from, to, fields: columns };
    for await (const rows of seriesOf(store.rows({ ...query, ...(series && { series }) }), columns)) {
      rollCoarser(rows, { begin: 0, end: rows.time.length }, periods[coarser], rows.series, writer.rows);
      await writer.added();
      if (giveWay.isDue) await giveWay.turn();
    }
  }
  await writer.flush();
}
