import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { simCommand } from "#cli/sim.ts";
import { tempFolder } from "../../support/temp-folder.ts";

test.each([
  [["--replay", "x.csv", "--map", "water_flow.flow=a"], "--to HOST:PORT"],
  [["--replay", "x.csv", "--to", "127.0.0.1:7001"], "--map MEASUREMENT.FIELD=COLUMN"],
  [["--replay", "x.csv", "--to", "127.0.0.1:7001", "--map", "water_flow.flows=a"], 'no field "flows"'],
  [["--map", "water_flow.flow=a"], "--map belongs to --replay"],
  [["--sensors", "3"], "gateway gw-mobility-1 has no address"],
  [["--sensors", "three", "--to", "127.0.0.1:7001"], "sensors: "],
  [["--history", "long", "--to", "127.0.0.1:7001"], "--history: history: a duration"],
  [["--to", "7001"], "to: HOST:PORT"],
  [
    ["--replay", "x.csv", "--to", "127.0.0.1:7001", "--modbus", "127.0.0.1:5020"],
    "--to HOST:PORT, an agent's",
  ],
  [["--replay", "x.csv", "--modbus", "127.0.0.1:5020"], "--map MEASUREMENT.FIELD=COLUMN"],
  [
    ["--replay", "x.csv", "--map", "water_flow.flow=a", "--to", "127.0.0.1:7001", "--map-file", "m"],
    "--map-file",
  ],
  [["--to", "127.0.0.1:7001", "--map-file", "m"], "--map-file belongs to --modbus"],
  [["--to", "127.0.0.1:7001", "--modbus", "5020"], "modbus: "],
  [["--to", "127.0.0.1:7001", "--modbus", "{gw-9: 127.0.0.1:5020}"], "there is no gateway gw-9"],
  [["--config", "nowhere.yaml"], "nowhere.yaml cannot be read"],
])("marsad sim %j is refused with a reason", async (args, reason) => {
  await expect(simCommand().parseAsync(args, { from: "user" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining(reason),
  });
});

test("an unknown key of the configuration file is refused by its name", async () => {
  using folder = tempFolder("sim");
  const file = join(folder.path, "sim.yaml");
  writeFileSync(file, "sensors: 3\nlivePeriod: 10s\n");
  await expect(simCommand().parseAsync(["--config", file], { from: "user" })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("livePeriod: there is no such key"),
  });
});
