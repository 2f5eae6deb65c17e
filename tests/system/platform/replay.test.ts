import { join } from "node:path";
import { expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { hour, playAndCompare, writeHardFiles } from "./recordings.ts";

const stores = ["duckdb", "influxdb"] as const;
const influxd = await requireDebian("influxdb");

test.for(stores)(
  "a file's series go sensor -> agent -> MQTT -> %s, as lines and over Modbus: every distinct (series, UTC time), with its value",
  async (store, { skip }) => {
    skip(store === "influxdb" && !influxd, whySkipped("influxdb"));
    using folder = tempFolder("replay");
    const { figures } = await playAndCompare(folder.path, await writeHardFiles(folder.path), store);
    for (const way of ["lines", "modbus"]) {
      const own = figures.filter((each) => each.way === way);
      expect(own).toMatchObject([
        { rows: 840, stored: own[0]!.sent },
        { rows: 720, stored: 720 },
        { rows: 1000, sent: 1000 },
      ]);
      expect(own[2]!.stored).toBeLessThan(1000);
    }
  },
);

const recorded = process.env["MARSAD_RECORDED"] ?? "";

test.for(stores)(
  "the recorded series of MARSAD_RECORDED go the same ways into %s",
  { timeout: 900_000 },
  async (store, { skip, annotate }) => {
    skip(recorded === "", "needs MARSAD_RECORDED: a folder with traffic-metro, water-bwdf and energy-pjm");
    skip(store === "influxdb" && !influxd, whySkipped("influxdb"));
    using folder = tempFolder("replay");
    const districts = Array.from({ length: 10 }, (_, i) => [`DMA${i + 1}`, `dma-${i + 1}`]);
    const recordings = [
      {
        file: join(recorded, "traffic-metro", "metro_i94_hourly.csv"),
        zone: "America/Chicago",
        measurement: "traffic_flow",
        field: "vehicles",
        columns: { traffic_volume: "i94" },
      },
      {
        file: join(recorded, "water-bwdf", "inflow.csv"),
        zone: "Europe/Rome",
        measurement: "water_flow",
        field: "flow",
        columns: Object.fromEntries(districts),
      },
      {
        file: join(recorded, "energy-pjm", "DAYTON_hourly_2015on.csv"),
        zone: "America/New_York",
        interval: hour,
        measurement: "energy_meter",
        field: "power",
        columns: { DAYTON_MW: "dayton" },
      },
    ];
    const { figures, modbus } = await playAndCompare(folder.path, recordings, store);
    expect(figures.every(({ distinct, stored }) => stored === distinct && stored > 8000)).toBe(true);
    for (const { file, way, rows, sent, distinct, stored } of figures)
      await annotate(`${file}, ${way}: ${rows} rows, ${sent} sent, ${distinct} distinct, ${stored} stored`);
    const rate = Math.round(modbus.rows / modbus.seconds);
    await annotate(`Modbus: ${modbus.rows} rows in ${modbus.seconds.toFixed(0)} s, ${rate} rows/s`);
  },
);
