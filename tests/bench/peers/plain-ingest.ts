/**
 * A process of its own: readings from MQTT to InfluxDB as one writes it from the libraries' examples. JSON.parse, zod for each reading, a Point, and the
 * client's WriteApi. `node plain-ingest.ts MQTT_PORT INFLUX_URL DATABASE`; says over IPC when it has subscribed.
 */
import { InfluxDB, Point } from "@influxdata/influxdb-client";
import { connectAsync } from "mqtt";
import { z } from "zod";

const [port = "", url = "", database = ""] = process.argv.slice(2);

const Message = z.object({
  readings: z.array(
    z.object({
      measurement: z.string(),
      sensor: z.string(),
      time: z.number(),
      vehicles: z.number(),
      speed_avg: z.number(),
      occupancy: z.number(),
    }),
  ),
});

const writeApi = new InfluxDB({ url }).getWriteApi("", "", "ms", { batchSize: 5_000, flushInterval: 500 });
writeApi.path = `/write?db=${database}&precision=ms`; // 1.6.7 lacks /api/v2/write

const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
client.on("message", (_topic, payload) => {
  const { readings } = Message.parse(JSON.parse(payload.toString()));
  for (const { measurement, sensor, time, vehicles, speed_avg, occupancy } of readings) {
    writeApi.writePoint(
      new Point(measurement)
        .tag("agency", "bench")
        .tag("municipality", "QA-DA")
        .tag("sensor", sensor)
        .floatField("vehicles", vehicles)
        .floatField("speed_avg", speed_avg)
        .floatField("occupancy", occupancy)
        .timestamp(time),
    );
  }
});
await client.subscribeAsync("readings/#", { qos: 1 });
process.on("disconnect", () => process.exit(0));
process.send?.({ ready: true });
