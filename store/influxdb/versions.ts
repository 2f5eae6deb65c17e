import type { Answer, InfluxHttp } from "./http.ts";
import { literal, quoted } from "./query.ts";
import { wordsOf } from "./answers.ts";
import { rollups } from "../query.ts";

/** Where the readings go, and how long they stay. */
export interface Destination {
  readonly database: string;
  /** Undefined: the database's default one. */
  readonly policy: string | undefined;
  /** Days; undefined: nothing is said about it, so that they are kept for ever unless somebody else says otherwise. */
  readonly retentionDays: number | undefined;
}

/** What is said of the generation of an InfluxDB. */
export interface Version {
  readonly major: 1 | 2 | 3 | undefined;
  /** As it says itself: `1.6.7~rc0`; `unknown`. */
  readonly text: string;
}

/** Milliseconds. */
const timeout = 15_000;

/** From the headers of `/ping`, which every generation answers; 3.x may refuse it without a token and names itself all the same. */
export function versionOf({ headers, body }: Pick<Answer, "headers" | "body">): Version {
  const header = headers["x-influxdb-version"];
  const text = (Array.isArray(header) ? header[0] : header) ?? /"version"\s*:\s*"([^"]+)"/.exec(body)?.[1];
  const major = /^v?([123])\./.exec(text ?? "")?.[1];
  return { major: major === undefined ? undefined : (Number(major) as 1 | 2 | 3), text: text ?? "unknown" };
}

/** @throws MarsadError STORE_UNAVAILABLE */
export async function detectVersion(http: InfluxHttp): Promise<Version> {
  const answer = await http.request({ method: "GET", path: "/ping", timeout });
  if (answer.status >= 500) throw http.unexpected(answer.status, answer.body);
  return versionOf(answer);
}

/**
 * Makes database and retention where this generation and the user's rights allow it, and places for the roll-ups.
 * @returns what an operator has to do by hand, if anything; a write then shows whether it is needed.
 * @throws MarsadError STORE_UNAVAILABLE: no answer, or one that may be another in a moment
 */
export async function prepare(
  http: InfluxHttp,
  version: Version,
  destination: Destination,
): Promise<string | undefined> {
  let hint = await retain(http, version, destination);
  for (const policy of rollups)
    hint ??= await retain(http, version, { ...destination, policy, retentionDays: undefined });
  return hint;
}

/** The same of one destination; where it is there already, only how long it keeps its rows changes, if that is said. */
export async function retain(
  http: InfluxHttp,
  { major }: Version,
  destination: Destination,
): Promise<string | undefined> {
  if (major === 1) return await prepare1(http, destination);
  if (major === 2) return await prepare2(http, destination);
  if (major === 3) return await prepare3(http, destination);
  return `make the database ${bucketOf(destination)} by hand`;
}

/** 1.x: InfluxQL. Without a policy's name the database's default one is meant, whose duration changes only when one is asked for. */
async function prepare1(http: InfluxHttp, destination: Destination): Promise<string | undefined> {
  const { database, policy, retentionDays } = destination;
  const create = `CREATE DATABASE ${quoted(database)}`;
  const refused = await statement(http, create);
  if (refused !== undefined) return `run ${create} as an administrator (${refused})`;
  const name = policy ?? (retentionDays === undefined ? undefined : await defaultPolicy(http, database));
  if (name === undefined) return undefined;
  const on = `${quoted(name)} ON ${quoted(database)}`;
  if (policy !== undefined) {
    // Changes nothing where it exists; where it exists with another duration it is refused, and altered below.
    const made = `CREATE RETENTION POLICY ${on} ${durationOf(retentionDays, policy)}`;
    const why = await statement(http, made);
    if (why !== undefined && !/exists|conflicts/i.test(why))
      return `run ${made} as an administrator (${why})`;
  }
  if (retentionDays === undefined) return undefined;
  const alter = `ALTER RETENTION POLICY ${on} ${durationOf(retentionDays)}`;
  const why = await statement(http, alter);
  return why === undefined ? undefined : `run ${alter} as an administrator (${why})`;
}

/** Of roll-ups that stay for ever: a shard costs InfluxDB files and an index, however few its rows are. */
const longShards: Readonly<Record<string, string>> = { rollup_1h: "30d", rollup_1d: "52w" };

/**
 * InfluxDB's own lengths of shard groups; a duration shorter than its shards' is refused.
 * @param made  The policy, when it is made.
 */
function durationOf(retentionDays: number | undefined, made?: string): string {
  const replication = made === undefined ? "" : " REPLICATION 1";
  if (retentionDays === undefined) {
    const shard = longShards[made ?? ""];
    return `DURATION INF${replication}${shard === undefined ? "" : ` SHARD DURATION ${shard}`}`;
  }
  const shard = retentionDays < 2 ? "1h" : retentionDays < 180 ? "1d" : "7d";
  return `DURATION ${Math.max(1, Math.round(retentionDays * 24))}h${replication} SHARD DURATION ${shard}`;
}

async function defaultPolicy(http: InfluxHttp, database: string): Promise<string | undefined> {
  const answer = await ask(http, `SHOW RETENTION POLICIES ON ${quoted(database)}`);
  const [series] = resultsOf(answer.body).series;
  const [name, isDefault] = [series?.columns.indexOf("name") ?? -1, series?.columns.indexOf("default") ?? -1];
  const row = series?.values.find((values) => values[isDefault] === true);
  return row === undefined ? undefined : String(row[name]);
}

/** @returns why the server refuses it, if so. */
async function statement(http: InfluxHttp, q: string): Promise<string | undefined> {
  const answer = await ask(http, q);
  if (answer.status === 401) throw http.unexpected(answer.status, answer.body);
  if (answer.status >= 500) throw http.unexpected(answer.status, answer.body);
  return resultsOf(answer.body).error;
}

async function ask(http: InfluxHttp, q: string): Promise<Answer> {
  const body = new URLSearchParams({ q }).toString();
  const contentType = "application/x-www-form-urlencoded";
  return await http.request({ method: "POST", path: "/query", body, contentType, timeout });
}

interface Series {
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

function resultsOf(body: string): { error: string | undefined; series: readonly Series[] } {
  try {
    const { results, error } = JSON.parse(body) as {
      results?: { series?: Series[]; error?: string }[];
      error?: string;
    };
    return { error: error ?? results?.[0]?.error, series: results?.[0]?.series ?? [] };
  } catch {
    return { error: body.slice(0, 200), series: [] };
  }
}

/** 2.x: a bucket, which its endpoints of 1.x know as DATABASE/POLICY, or as DATABASE for the default policy. */
async function prepare2(http: InfluxHttp, destination: Destination): Promise<string | undefined> {
  const { retentionDays } = destination;
  const name = bucketOf(destination);
  const seconds = retentionDays === undefined ? 0 : Math.round(retentionDays * 86_400);
  const retention = retentionDays === undefined ? "" : ` --retention ${Math.round(retentionDays * 24)}h`;
  const byHand = (why: string): string =>
    `make the bucket by hand, with influx bucket create --name ${literal(name)}${retention} (${why})`;
  const api = (method: "GET" | "POST" | "PATCH", path: string, content?: object): Promise<Answer> =>
    http.request({
      method,
      path: `/api/v2${path}`,
      ...(content && { body: JSON.stringify(content) }),
      contentType: "application/json",
      scheme: "Token",
      timeout,
    });
  const found = await api("GET", `/buckets?name=${encodeURIComponent(name)}`);
  if (found.status >= 500) throw http.unexpected(found.status, found.body);
  const known =
    found.status === 200 ? bucketsOf(found.body).find((bucket) => bucket.name === name) : undefined;
  if (known !== undefined) {
    if (retentionDays === undefined || known.everySeconds === seconds) return undefined;
    const rules = { retentionRules: [{ type: "expire", everySeconds: seconds }] };
    const changed = await api("PATCH", `/buckets/${known.id}`, rules);
    return changed.status === 200
      ? undefined
      : `change the bucket's retention by hand, with influx bucket update --id ${known.id}${retention} (${whyNot(changed)})`;
  }
  if (found.status !== 200 && found.status !== 404) return byHand(whyNot(found));
  const organizations = await api("GET", "/orgs");
  const ids = organizations.status === 200 ? organizationsOf(organizations.body) : [];
  if (ids.length !== 1) return byHand(`the token sees ${ids.length} organizations`);
  const made = await api("POST", "/buckets", {
    orgID: ids[0],
    name,
    retentionRules: seconds === 0 ? [] : [{ type: "expire", everySeconds: seconds }],
  });
  return made.status === 201 ? undefined : byHand(whyNot(made));
}

export function bucketOf({ database, policy }: Destination): string {
  return policy === undefined ? database : `${database}/${policy}`;
}

interface Bucket {
  readonly id: string;
  readonly name: string;
  readonly everySeconds: number;
}

function bucketsOf(body: string): Bucket[] {
  const { buckets = [] } = JSON.parse(body) as {
    buckets?: { id: string; name: string; retentionRules?: { everySeconds?: number }[] }[];
  };
  return buckets.map(({ id, name, retentionRules }) => ({
    id,
    name,
    everySeconds: retentionRules?.[0]?.everySeconds ?? 0,
  }));
}

function organizationsOf(body: string): string[] {
  return ((JSON.parse(body) as { orgs?: { id: string }[] }).orgs ?? []).map(({ id }) => id);
}

/** 3.x makes a database with its first write. Core can be told a retention when it is made, and never afterwards. */
async function prepare3(http: InfluxHttp, destination: Destination): Promise<string | undefined> {
  const { retentionDays } = destination;
  if (retentionDays === undefined) return undefined;
  const db = bucketOf(destination);
  const retention_period = `${Math.max(1, Math.round(retentionDays * 24))}h`;
  const answer = await http.request({
    method: "POST",
    path: "/api/v3/configure/database",
    body: JSON.stringify({ db, retention_period }),
    contentType: "application/json",
    scheme: "Bearer",
    timeout,
  });
  if (answer.status >= 500) throw http.unexpected(answer.status, answer.body);
  // It exists: with which retention it was made, only its operator can say.
  if (answer.status < 300 || answer.status === 409) return undefined;
  return `make the database by hand, with influxdb3 create database --retention-period ${retention_period} ${db} (${whyNot(answer)})`;
}

function whyNot({ status, body }: Answer): string {
  return wordsOf(body) || `status ${status}`;
}
