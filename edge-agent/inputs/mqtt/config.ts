import { z } from "zod";
import { SensorId } from "#telemetry/names.ts";
import { parseTopicPattern } from "./topic-pattern.ts";

const Path = z.union([z.string().min(1), z.array(z.union([z.string(), z.int().min(0)])).min(1)]).meta({
  description: "Keys and list indices to the value: `ENERGY.Power`, `emeters[0].power`, or a list of them.",
});

const FieldValue = z.strictObject({
  path: Path.optional().meta({
    description: "In the JSON payload; left out where the payload is the value itself.",
  }),
  scale: z
    .number()
    .refine((scale) => scale !== 0, "0 would make every value 0")
    .default(1)
    .meta({ description: "value = number x scale + offset" }),
  offset: z.number().default(0),
  unit: z.string().min(1).optional().meta({
    description: "Of number x scale + offset, as in W or Cel; converted to the catalogue's unit.",
  }),
  values: z.record(z.string(), z.number()).optional().meta({
    description: "What words mean, as in { ON: 1, OFF: 0 }; true and false are 1 and 0 without it.",
  }),
});
export type FieldValue = z.infer<typeof FieldValue>;

export const TopicMapping = z
  .strictObject({
    topic: z
      .string()
      .superRefine((text, context) => {
        const parsed = parseTopicPattern(text);
        if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.problem });
      })
      .meta({
        description:
          "A topic filter whose levels may have names: zigbee2mqtt/{device}, shellies/{device}/emeter/+/power.",
      }),
    format: z.enum(["json", "number", "lines"]).default("json").meta({
      description:
        "json: an object, fields by path. number: the payload is one value. lines: line protocol as it is.",
    }),
    measurement: z.string().min(1).optional().meta({ description: "The catalogue's name; not with lines." }),
    sensor: z.string().min(1).optional().meta({
      description: "The sensor's id, in which {device} stands for that level: cs-{device}.",
    }),
    sensors: z.record(z.string(), SensorId).optional().meta({
      description: "Sensor ids by what `sensor` comes to; messages of others are left out and counted.",
    }),
    fields: z.record(z.string(), FieldValue).optional().meta({
      description: "By the field's name in the catalogue.",
    }),
    time: z
      .strictObject({
        path: Path,
        unit: z.enum(["ms", "s", "rfc3339"]).default("ms").meta({ description: "ms and s since 1970, UTC." }),
      })
      .optional()
      .meta({
        description: "The event time in the JSON payload; without it a reading has the time of its arrival.",
      }),
    retained: z.boolean().default(false).meta({
      description: "Take retained messages too: they may be old, and come again at each new session.",
    }),
  })
  .superRefine((mapping, context) => {
    const { topic, format, measurement, sensor, fields = {}, time } = mapping;
    const refuse = (path: PropertyKey[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    if (format === "lines") {
      for (const key of ["measurement", "sensor", "sensors", "fields", "time"] as const)
        if (mapping[key] !== undefined) refuse([key], "line protocol says this itself: leave it out");
      return;
    }
    if (measurement === undefined) refuse(["measurement"], "which measurement is it? As in energy_meter.");
    if (sensor === undefined)
      refuse(["sensor"], "which sensor is it? An id, or a level's name as in {device}.");
    const names = Object.entries(fields);
    if (names.length === 0)
      refuse(["fields"], "which fields are in it? As in { power: { path: power, unit: W } }.");
    const pattern = parseTopicPattern(topic);
    for (const [, name] of (sensor ?? "").matchAll(/\{([^{}]*)\}/g))
      if (pattern.ok && !pattern.pattern.names.includes(name!))
        refuse(["sensor"], `the topic has no level {${name}}`);
    if (format === "number") {
      if (names.length > 1) refuse(["fields"], "a number is one field");
      if (time !== undefined) refuse(["time"], "a number has no time: leave this out");
    }
    for (const [name, { path }] of names) {
      if (format === "number" && path !== undefined)
        refuse(["fields", name, "path"], "the payload is the number itself: leave this out");
      if (format === "json" && path === undefined)
        refuse(["fields", name, "path"], "where in the JSON is it? As in ENERGY.Power.");
    }
  });
export type TopicMapping = z.infer<typeof TopicMapping>;

/** A broker in the sensors' own network, whose messages are readings. */
export const MqttInput = z
  .strictObject({
    type: z.literal("mqtt").meta({ description: "Topics of a local broker." }),
    connect: z
      .string()
      .regex(/^mqtt:\/\/[^\s/@?#]+:\d{1,5}$/, "mqtt://HOST:PORT")
      .meta({ description: "The local broker: mqtt://HOST:PORT." }),
    username: z.string().min(1).optional(),
    password_file: z.string().min(1).optional().meta({ description: "A file with the password alone." }),
    client_id: z.string().min(1).max(128).optional().meta({
      description:
        "The broker keeps messages for it while the agent is away: it must be the agent's alone (default: marsad-GATEWAY).",
    }),
    keepalive_s: z.int().min(1).max(3600).default(30).meta({ unit: "s" }),
    max_message_bytes: z
      .int()
      .min(64)
      .max(256 * 1024)
      .default(16 * 1024)
      .meta({ unit: "By", description: "Longer messages are left out and counted." }),
    topics: z.array(TopicMapping).min(1).max(1000),
  })
  .refine(({ username, password_file: file }) => username !== undefined || file === undefined, {
    path: ["username"],
    error: "a password needs a user name",
  });
export type MqttInput = z.infer<typeof MqttInput>;
