import { rollups as policies } from "#store/query.ts";
import { type Ask } from "../../support/grafana.ts";
import { startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type CitySensor, agency, newestReading, resultBatches, rollups, sensors } from "./city.ts";
import { linesOf } from "./lines.ts";

export interface Stores extends AsyncDisposable {
  readonly all: readonly { readonly name: string; readonly ask: Ask }[];
}

function tagsOf({ sensor, tags }: CitySensor): Record<string, string> {
  return { agency, sensor, ...tags };
}

/** The same city in each store. */
export async function openStores(now: number): Promise<Stores> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(tempFolder("grafana"));
  const influxd = opened.use(await startInfluxd({ folder: folder.path }));
  const database = "marsad";
  await influxd.query(`CREATE DATABASE "${database}"`);
  for (const policy of policies)
    await influxd.query(`CREATE RETENTION POLICY "${policy}" ON "${database}" DURATION INF REPLICATION 1`);
  const write = async (policy: string, lines: readonly string[]): Promise<void> => {
    const target = `${influxd.url}/write?db=${database}&rp=${policy}&precision=ms`;
    const answer = await fetch(target, { method: "POST", body: lines.join("\n") });
    if (answer.status !== 204) throw new Error(await answer.text());
  };
  for (const batch of [...rollups(now, (city) => sensors.indexOf(city)), ...resultBatches(now)])
    await write(
      batch.policy,
      linesOf(batch, (series) => tagsOf(sensors[series]!)),
    );
  await write(
    "autogen",
    sensors.map((city) => {
      const tags = Object.entries(tagsOf(city)).map(
        ([key, value]) => `${key}=${value.replaceAll(" ", "\\ ")}`,
      );
      const fields = Object.entries(newestReading(city, now)).map(([key, value]) => `${key}=${value}`);
      return `${city.measurement.name},${tags.join(",")} ${fields.join(",")} ${now - 120_000}`;
    }),
  );
  const held = opened.move();
  return {
    all: [{ name: "influxd", ask: async (influxql) => await influxd.query(influxql, database) }],
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
