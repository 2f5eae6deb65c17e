import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectGateway } from "../../support/mqtt-gateway.ts";
import { admitGateway, dataFolder, type Platform, startPlatform } from "../../support/platform.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Ended, runMarsad } from "./run-marsad.ts";

const identity = { name: "corniche-1", agency: "mobility" };
const from = Math.floor((Date.now() - 3_600_000) / 60_000) * 60_000;

describe("marsad query", () => {
  const resources = new AsyncDisposableStack();
  let platform: Platform;

  beforeAll(async () => {
    const folder = resources.use(tempFolder("query"));
    // Admitted before the platform's first look at itself.
    const password = await admitGateway(dataFolder(folder.path), identity);
    platform = resources.use(await startPlatform({ folder: folder.path }));
    await using gateway = await connectGateway({ identity, password, port: platform.mqttPort });
    await gateway.birth(["tf-1", "tf-2"]);
    const lines = ["tf-1", "tf-2"].flatMap((sensor, at) =>
      [0, 1, 2].map(
        (minute) => `traffic_flow,sensor=${sensor} vehicles=${10 * at + minute} ${from + minute * 60_000}`,
      ),
    );
    await gateway.send(lines.join("\n"));
    await platform.settled(identity.name, ({ stored }) => stored === 6);
  });
  afterAll(() => resources.disposeAsync());

  const query = (influxql: string, more: readonly string[] = []): Promise<Ended> =>
    runMarsad(["query", influxql, "--http", platform.ready.http, ...more]);

  test("prints a table for people, CSV and JSON for programs", async () => {
    const q = 'SELECT sum("vehicles") FROM "traffic_flow" WHERE time > now() - 1d GROUP BY "sensor"';
    const [table, csv, json] = await Promise.all([
      query(q),
      query(q, ["--format", "csv", "--epoch", "s"]),
      query(q, ["--format", "json", "--epoch", "ms"]),
    ]);
    expect(table).toMatchObject({ code: 0, stderr: "" });
    expect(table.stdout).toContain("traffic_flow  sensor=tf-2\n");
    expect(table.stdout).toMatch(/\n2 rows\n$/);
    const rows = csv.stdout.trimEnd().split("\n");
    expect(rows[0]).toBe("name,sensor,time,sum");
    expect(rows.slice(1)).toEqual([
      expect.stringMatching(/^traffic_flow,tf-1,\d{10},3$/),
      expect.stringMatching(/^traffic_flow,tf-2,\d{10},33$/),
    ]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      results: [{ series: [{ tags: { sensor: "tf-1" } }, { tags: { sensor: "tf-2" } }] }],
    });
  });

  test("takes parameters, a roll-up and an explanation", async () => {
    const bound = await query(
      'SELECT "vehicles" FROM "traffic_flow" WHERE "sensor" = $sensor AND "vehicles" > $least',
      ["--param", "sensor=tf-2", "--param", "least=11", "--format", "csv", "--epoch", "ms"],
    );
    expect(bound.stdout).toBe(`name,time,vehicles\ntraffic_flow,${from + 120_000},12\n`);
    const rolled = await poll(async () => {
      const answer = await query('SELECT sum("vehicles_sum") FROM "traffic_flow"', [
        "--rp",
        "rollup_1m",
        "--format",
        "csv",
        "--epoch",
        "ms",
      ]);
      return answer.stdout === "" ? undefined : answer;
    });
    expect(rolled.stdout).toBe("name,time,sum\ntraffic_flow,0,36\n");
    const explained = await query('SELECT max("vehicles") FROM "traffic_flow"', ["--explain"]);
    expect(explained.stdout).toContain("traffic_flow_");
  });

  test("what is wrong is said in the platform's words, with exit code 1", async () => {
    const [wrong, written, asJson] = await Promise.all([
      query("SELECT FROM traffic_flow"),
      query("DROP MEASUREMENT traffic_flow"),
      query('SELECT holt_winters(max("vehicles"), 1, 1) FROM "traffic_flow"', ["--format", "json"]),
    ]);
    expect(wrong).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("line 1, char 8") });
    expect(written).toMatchObject({ code: 1, stderr: expect.stringContaining("only reads") });
    expect(asJson.code).toBe(1);
    expect(asJson.stdout).toContain("marsad forecast");
  });

  test("the platform's own ledger, queues and rates are there to be asked", async () => {
    const rows = await poll(async () => {
      const { stdout } = await query(
        'SELECT last("sent") FROM "gateway_ledger" GROUP BY "gateway"; SELECT last("bound_bytes") FROM "platform_queue" GROUP BY "queue"; ' +
          'SELECT last("total") FROM "platform_rate" GROUP BY "what"',
        ["--format", "csv"],
      );
      return stdout.includes("platform_rate") ? stdout : undefined;
    });
    expect(rows).toMatch(/^gateway_ledger,corniche-1,/m);
    expect(rows).toMatch(/^platform_queue,ingest journal,.*,\d+$/m);
    expect(rows).toMatch(/^platform_rate,received,/m);
  });
});
