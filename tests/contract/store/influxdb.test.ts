import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { openInfluxStore } from "#store/influxdb/index.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { storeContract } from "./contract.ts";
import { type SharedPlace, resultsContract } from "./results.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;

describe.skipIf(!there)(`on a real influxd${note}`, () => {
  let folder: ReturnType<typeof tempFolder>;
  let influxd: Influxd;
  beforeAll(async () => {
    folder = tempFolder("influxd");
    influxd = await startInfluxd({ folder: folder.path });
  });
  afterAll(async () => {
    await influxd[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  /** Each place is a database of its own in the one server. */
  async function influxPlace(): Promise<SharedPlace> {
    const state = tempFolder("store");
    const database = `place-${randomUUID()}`;
    const options = { path: state.path, url: influxd.url, database };
    return {
      kind: "influxdb",
      options,
      open: () => openInfluxStore({ ...options, log: pino({ level: "silent" }) }),
      [Symbol.asyncDispose]: async () => {
        state[Symbol.dispose]();
        await influxd.query(`DROP DATABASE "${database}"`);
      },
    };
  }

  storeContract("InfluxDB", influxPlace, { tellsMerged: false, showsWholeBatches: false });
  resultsContract("InfluxDB", influxPlace);
});
