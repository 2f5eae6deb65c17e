import { InfluxqlError } from "./errors.ts";
import type { Reader } from "./reader.ts";

const users = "`marsad user` and `marsad token` keep who may do what";
const byAge = "readings leave by their age, as it is configured";
const writing: Readonly<Record<string, string>> = {
  DELETE: byAge,
  "DROP SERIES": byAge,
  "DROP MEASUREMENT": byAge,
  "DROP SHARD": byAge,
  "CREATE CONTINUOUS": "the platform keeps roll-ups of all readings: rollup_1m, rollup_1h and rollup_1d",
  "DROP CONTINUOUS": "the platform keeps roll-ups of all readings: rollup_1m, rollup_1h and rollup_1d",
  "CREATE SUBSCRIPTION": "readings can be had live over MQTT",
  "DROP SUBSCRIPTION": "readings can be had live over MQTT",
  "CREATE USER": users,
  "DROP USER": users,
  GRANT: users,
  REVOKE: users,
  SET: users,
  "KILL QUERY": "a query ends with its connection, and at its time limit",
  INSERT: "/write takes readings as line protocol",
};
const configured = "the database and its retention policies are the platform's configuration";
const objects: Readonly<Record<string, readonly string[]>> = {
  CREATE: ["CONTINUOUS", "DATABASE", "RETENTION", "SUBSCRIPTION", "USER"],
  DROP: ["CONTINUOUS", "DATABASE", "MEASUREMENT", "RETENTION", "SERIES", "SHARD", "SUBSCRIPTION", "USER"],
  ALTER: ["RETENTION"],
  SET: ["PASSWORD"],
  KILL: ["QUERY"],
};

/** Statements that would change something, by their first word. */
export const writingWords = ["DELETE", "CREATE", "DROP", "GRANT", "REVOKE", "ALTER", "SET", "KILL"];

/** The error for a statement that begins with `word` (already taken). */
export function refusedStatement(reader: Reader, word: string): InfluxqlError {
  const object = objects[word] === undefined ? undefined : reader.expect(...objects[word]).text;
  const name = object === undefined ? word : `${word} ${object}`;
  const instead = writing[name] ?? writing[word] ?? configured;
  const longName: Readonly<Record<string, string>> = { RETENTION: " POLICY", CONTINUOUS: " QUERY" };
  return refused(`${name}${longName[object ?? ""] ?? ""}`, instead);
}

export function refusedTarget(): InfluxqlError {
  return refused("SELECT … INTO", "the platform's own jobs write results");
}

function refused(name: string, instead: string): InfluxqlError {
  return new InfluxqlError("syntax", `${name} is refused: /query only reads. Instead: ${instead}.`);
}

/** `SHOW` of what is not offered here. */
export function notOffered(words: string): InfluxqlError {
  const isAboutUsers = words === "USERS" || words === "GRANTS";
  const instead = isAboutUsers ? "`marsad user list`" : "/metrics says how the platform is doing";
  return new InfluxqlError("syntax", `SHOW ${words} is not offered. Instead: ${instead}.`);
}
