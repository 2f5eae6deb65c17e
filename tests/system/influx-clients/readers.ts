import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { InfluxDB } from "influx";
import { expect, test } from "vitest";
import type { MqttGateway } from "../../support/mqtt-gateway.ts";
import { flowLine } from "../platform/support.ts";

const run = promisify(execFile);

export const minute = 60_000;
/** Of the readings that `sendHour` sends. */
export const begun = Math.floor(Date.now() / minute) * minute - 60 * minute;
export const sensors = ["tf-1", "tf-2"];

/** Two sensors, a reading a minute over an hour: `vehicles` are 0 to 59. */
export async function sendHour(gateway: MqttGateway): Promise<void> {
  await gateway.birth(sensors);
  for (let i = 0; i < 60; i += 1)
    await gateway.send(sensors.map((sensor) => flowLine(sensor, i, begun + i * minute)).join("\n"));
}

interface Answer {
  readonly results: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly name?: string;
      readonly tags?: Record<string, string>;
      readonly columns: readonly string[];
      readonly values?: readonly (readonly unknown[])[];
    }[];
  }[];
}

const oneColumn = (results: Answer["results"], column: number): unknown[] =>
  results[0]?.series?.[0]?.values?.map((row) => row[column]) ?? [];

/** Real clients that read what `sendHour` sent; the same on every store. */
export function testReaders(http: () => string): void {
  const at = (): { host: string; port: string } => {
    const { hostname: host, port } = new URL(http());
    return { host, port };
  };

  test("influx of npm queries, and looks at the schema", async () => {
    const { host, port } = at();
    const client = new InfluxDB({ host, port: Number(port), database: "marsad" });
    expect(await client.getMeasurements()).toContain("traffic_flow");
    expect(await client.getDatabaseNames()).toEqual(["marsad"]);
    const keys = await client.getSeries({ measurement: "traffic_flow" });
    expect(keys.map((key) => /sensor=([^,]+)/.exec(key)?.[1])).toEqual(sensors);
    const policies = await client.showRetentionPolicies();
    expect(policies.some((policy) => policy.default)).toBe(true);

    const latest = await client.query<{ time: { getTime(): number }; vehicles: number }>(
      "SELECT vehicles FROM traffic_flow WHERE sensor = $sensor ORDER BY time DESC LIMIT 2",
      { placeholders: { sensor: "tf-1" } },
    );
    expect(latest.map(({ time, vehicles }) => [time.getTime(), vehicles])).toEqual([
      [begun + 59 * minute, 59],
      [begun + 58 * minute, 58],
    ]);
    const [first, second] = await client.query([
      "SELECT max(vehicles) FROM traffic_flow GROUP BY sensor",
      "SHOW FIELD KEYS FROM traffic_flow",
    ]);
    expect([...(first ?? [])]).toMatchObject(sensors.map((sensor) => ({ sensor, max: 59 })));
    expect([...(second ?? [])]).toContainEqual(expect.objectContaining({ fieldKey: "vehicles" }));
    await expect(client.query("SELECT nothing FORM x")).rejects.toThrow(/error parsing query.*expected FROM/);
    await expect(client.dropMeasurement("traffic_flow")).rejects.toThrow(/refused/);
  });

  test("Debian's influx connects, shows and selects, in each of its formats", async () => {
    const { host, port } = at();
    const influx = async (...args: string[]): Promise<string> =>
      (await run("influx", ["-host", host, "-port", port, "-database", "marsad", ...args])).stdout;
    const q = "SELECT last(vehicles), mean(speed_avg) FROM traffic_flow WHERE sensor = 'tf-1'";
    expect(await influx("-execute", "SHOW MEASUREMENTS WITH MEASUREMENT =~ /traffic_f/")).toBe(
      "name: measurements\nname\n----\ntraffic_flow\n",
    );
    expect(await influx("-execute", q, "-format", "csv")).toBe(
      "name,time,last,mean\ntraffic_flow,0,59,48.5\n",
    );
    const series = { name: "traffic_flow", columns: ["time", "last", "mean"], values: [[0, 59, 48.5]] };
    expect(JSON.parse(await influx("-execute", q, "-format", "json"))).toEqual({
      results: [{ series: [series] }],
    });
    expect(await influx("-execute", q, "-format", "column", "-precision", "rfc3339")).toMatch(
      /^name: traffic_flow\ntime +last mean\n-+ +-+ +-+\n1970-01-01T00:00:00Z +59 +48.5\n$/,
    );
    const wrong = await influx("-execute", "SELECT").catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    expect(JSON.stringify(wrong)).toMatch(/error parsing query/);

    // At its prompt, which it has on a terminal only: `use` asks which databases there are.
    const env = { ...process.env, TERM: "dumb" };
    const said = run("script", ["-qefc", `influx -host ${host} -port ${port}`, "/dev/null"], { env });
    said.child.stdin?.end(
      "use marsad\nSHOW TAG VALUES FROM traffic_flow WITH KEY = sensor\nuse other\nexit\n",
    );
    const stdout = (await said).stdout.replaceAll("\r", "");
    expect(stdout).toMatch(/Connected to http:\/\/\S+ version \d/);
    expect(stdout).toMatch(/Using database marsad\n/);
    expect(stdout).toMatch(/sensor +tf-1\nsensor +tf-2\n/);
    expect(stdout).toMatch(/database other doesn't exist/i);
  });

  /** As Grafana's data source sends it: by GET all in the URL, by POST the query in a form. */
  const grafana = async (method: "GET" | "POST", q: string, rp?: string): Promise<Answer["results"]> => {
    const parameters = new URLSearchParams({ db: "marsad", epoch: "ms", ...(rp !== undefined && { rp }) });
    if (method === "GET") parameters.set("q", q);
    const init =
      method === "GET"
        ? { headers: { "user-agent": "Grafana/12.3.0" } }
        : { method, body: new URLSearchParams({ q }), headers: { "user-agent": "Grafana/12.3.0" } };
    const answer = await fetch(`${http()}/query?${parameters.toString()}`, init);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
    ]);
    return ((await answer.json()) as Answer).results;
  };

  test("Grafana's data source is well, fills its editor, and draws", async () => {
    const timeFilter = `time >= ${begun}ms and time <= ${begun + 60 * minute}ms`;
    for (const method of ["GET", "POST"] as const) {
      expect(oneColumn(await grafana(method, "SHOW MEASUREMENTS"), 0)).toContain("traffic_flow");
      expect((await grafana(method, 'SHOW RETENTION POLICIES on "marsad"'))[0]?.error).toBeUndefined();
      const search = "SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)TRAFFIC_FLOW/ LIMIT 100";
      expect(oneColumn(await grafana(method, search), 0)).toEqual(["traffic_flow"]);
      expect(oneColumn(await grafana(method, 'SHOW TAG KEYS FROM "traffic_flow"'), 0)).toEqual(
        expect.arrayContaining(["agency", "sensor"]),
      );
      const values = 'SHOW TAG VALUES FROM "traffic_flow" WITH KEY = "sensor" WHERE "agency" = \'mobility\'';
      expect(oneColumn(await grafana(method, values), 1)).toEqual(sensors);
      expect(oneColumn(await grafana(method, 'SHOW FIELD KEYS FROM "traffic_flow"'), 0)).toEqual(
        expect.arrayContaining(["speed_avg", "vehicles"]),
      );
      const panel = `SELECT mean("vehicles") FROM "traffic_flow" WHERE ("sensor"::tag =~ /^(tf\\-1|tf\\-2)$/) AND ${timeFilter} GROUP BY time(10m), "sensor"::tag fill(null)`;
      const [drawn] = await grafana(method, panel);
      expect(drawn?.series?.map(({ tags }) => tags)).toEqual(sensors.map((sensor) => ({ sensor })));
      const windows = drawn?.series?.[0]?.values ?? [];
      expect(windows.length).toBeGreaterThanOrEqual(6);
      expect(windows.every(([time]) => Number(time) % (10 * minute) === 0)).toBe(true);
      const stat = `SELECT last("speed_avg") FROM "autogen"."traffic_flow" WHERE ${timeFilter}`;
      expect(oneColumn(await grafana(method, stat), 1)).toEqual([48.5]);
      expect(oneColumn(await grafana(method, stat.replace('"autogen".', ""), "autogen"), 1)).toEqual([48.5]);
    }
    const all = Array.from({ length: 20_000 }, (_, i) => `nobody\\-${i}`).join("|");
    const every = `SELECT count("vehicles") FROM "traffic_flow" WHERE "sensor" =~ /^(${all.slice(0, 250_000)}|tf\\-2)$/`;
    expect(oneColumn(await grafana("POST", every), 1)).toEqual([60]);
  });
}
