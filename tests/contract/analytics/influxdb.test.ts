import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { openInfluxStore } from "#store/influxdb/index.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { type Influxd, startInfluxd } from "../../support/influxd.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { rollupsContract } from "./rollups.ts";

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

  rollupsContract("InfluxDB", async () => {
    const state = tempFolder("rollups");
    const database = `rollups-${randomUUID()}`;
    const log = pino({ level: "silent" });
    return {
      open: () => openInfluxStore({ path: state.path, url: influxd.url, database, log }),
      [Symbol.asyncDispose]: async () => state[Symbol.dispose](),
    };
  });
});
