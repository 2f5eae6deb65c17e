import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { startInfluxd } from "../../support/influxd.ts";
import { poll } from "../../support/poll.ts";
import { startProgram } from "../../support/program.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { runMarsad } from "./run-marsad.ts";

const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;

test.skipIf(!there)(
  `a whole city with its history comes up on an empty folder, and says what it cannot${note}`,
  async () => {
    using folder = tempFolder("influx-up");
    const user = { name: "marsad", password: "a password with 'quotes'" };
    await using influxd = await startInfluxd({ folder: folder.path, user });
    const data = join(folder.path, "data");
    const anywhere = ["--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    const city = ["--sensors", "12", "--seed", "7", "--history", "60m"];
    const store = ["--store", "influxdb", "--influx-url", influxd.url, "--influx-db", "demo"];
    const wrong = await runMarsad(["up", "--data", data, "--store", "influxdb"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("--influx-url") });
    const noPassword = await runMarsad(["up", "--data", data, ...store, "--influx-user", user.name]);
    expect(noPassword).toMatchObject({ code: 2, stderr: expect.stringContaining("MARSAD_INFLUX_PASSWORD") });

    const secret = join(folder.path, "secret");
    writeFileSync(secret, `${user.password}\n`);
    await using up = await startProgram<{ mqtt: string; http: string }>({
      args: ["up", "--data", data, ...anywhere, ...city, ...store, "--influx-user", user.name],
      folder: folder.path,
      name: "up",
      env: { MARSAD_INFLUX_PASSWORD_FILE: secret },
    });
    const { http } = up.ready;
    await poll(async () => {
      const { code, stdout } = await runMarsad(["account", "--http", http, "--json"]);
      const { gateways: ledgers } = JSON.parse(stdout) as { gateways: { stored: number }[] };
      return code === 0 && ledgers.reduce((sum, { stored }) => sum + stored, 0) >= 12 * 59;
    });
    const { stdout } = await runMarsad(["status", "--http", http, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ ready: true, totals: { refused: 0 } });
    const [series] = await influxd.query("SHOW TAG KEYS FROM traffic_flow", "demo");
    const tags = series!.values.map(([key]) => key);
    expect(tags).toEqual(expect.arrayContaining(["agency", "municipality", "role", "sensor"]));
    expect(tags).not.toContain("gateway");
    const readings = await fetch(`${http}/api/v1/readings?measurement=traffic_flow&limit=3&order=desc`);
    expect(((await readings.json()) as { readings: unknown[] }).readings).toHaveLength(3);
    expect(await up.end("SIGINT")).toBe(0);
  },
);
