import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Option } from "commander";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import { tlsTrouble } from "#runtime/tls.ts";
import { Problem } from "#api/problem.ts";
import { authorizationFor } from "./client-credentials.ts";

const DEFAULT_URL = "http://127.0.0.1:8080";
/** Milliseconds for an answer. */
const TIMEOUT = 15_000;
/** Milliseconds for one that comes in pieces, to its end. */
const STREAM_TIMEOUT = 600_000;

/** `--http URL`, for every command that asks a running platform. */
export function httpOption(): Option {
  return new Option("--http <url>", "where the platform answers").env("MARSAD_HTTP").default(DEFAULT_URL);
}

/** `--ca FILE`, beside it: an authority that this process trusts from its command line on, with those that it knows. */
export function caOption(): Option {
  return new Option(
    "--ca <file>",
    "PEM file with the authority that signed the platform's certificate (https://)",
  )
    .env("MARSAD_CA")
    .argParser(trust);
}

/** `--user NAME`, beside it: who asks; the password, or a token in place of both, comes from the environment alone. */
export function userOption(): Option {
  return new Option(
    "--user <name>",
    "who asks, with the password in MARSAD_PASSWORD or the file that MARSAD_PASSWORD_FILE names; a token in MARSAD_TOKEN or MARSAD_TOKEN_FILE needs no name",
  ).env("MARSAD_USER");
}

/** `--json`: one JSON document on stdout and nothing else. */
export function jsonOption(): Option {
  return new Option("--json", "print one JSON document").default(false);
}

/** Asks a running platform over HTTP. */
export interface Client {
  readonly url: string;
  get<Schema extends z.ZodType>(path: string, schema: Schema, query?: Query): Promise<z.output<Schema>>;
  post<Schema extends z.ZodType>(path: string, schema: Schema, body: object): Promise<z.output<Schema>>;
  /** Posts a form to an address of InfluxDB's; the answer's body as it comes, whatever is in it. Rejects with UNREACHABLE where it breaks off. */
  stream(path: string, form: URLSearchParams): Promise<AsyncIterable<Uint8Array>>;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * A client for the platform at `url` (`http://host:port`, or `host:port`).
 *
 * Its calls reject with `MarsadError` `UNREACHABLE` when nothing answers there, or not as a Marsad platform;
 * `NOT_FOUND`, `UNAUTHORIZED` and `REFUSED` carry the platform's own words.
 * @param user  Who asks; by default whoever the token in the environment is for, or nobody.
 * @throws MarsadError `CONFIG_INVALID` for what is no address, for a user without a password, and for secrets that would travel in the clear.
 */
export function openClient(url: string, user?: string): Client {
  const base = parseAddress(url);
  const headers = authorizationFor(base, user, process.env);
  const ask = async <Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    init: Ask,
    accepted: readonly number[] = [],
  ): Promise<z.output<Schema>> => {
    const target = new URL(path, base);
    const response = await reach(target, { ...init, headers: { ...headers, ...init.headers } });
    const body = await response.json().catch(() => undefined);
    if (!response.ok && !accepted.includes(response.status)) throw refusal(target, response.status, body);
    const answer = schema.safeParse(body);
    if (answer.success) return answer.data;
    throw new MarsadError(
      "UNREACHABLE",
      `What answers at ${base.origin} is no Marsad platform of this version: say where it is with --http URL.`,
      { cause: answer.error },
    );
  };
  return {
    url: base.origin,
    // The probe's 503 is an answer, not a refusal.
    get: (path, schema, query = {}) =>
      ask(withQuery(path, query), schema, {}, path === "/readyz" ? [503] : []),
    post: (path, schema, body) =>
      ask(path, schema, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    async stream(path, form) {
      const target = new URL(path, base);
      const response = await reach(target, { method: "POST", headers, body: form }, STREAM_TIMEOUT);
      if (response.ok && response.body) return whole(response.body, target);
      const said: unknown = await response.json().catch(() => undefined);
      throw influxRefusal(target, response.status, said, headers.authorization !== undefined);
    },
  };
}

function trust(file: string): string {
  try {
    setDefaultCACertificates([...getCACertificates("default"), readFileSync(file, "utf8")]);
    return file;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MarsadError("CONFIG_INVALID", `--ca ${file} is no PEM file with a certificate: ${why}`, {
      cause: error,
    });
  }
}

function parseAddress(text: string): URL {
  const address = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (address) return address;
  throw new MarsadError("CONFIG_INVALID", `--http ${text} is no address: write ${DEFAULT_URL}, for example.`);
}

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return search === "" ? path : `${path}?${search}`;
}

async function reach(target: URL, init: RequestInit, timeout: number = TIMEOUT): Promise<Response> {
  try {
    return await fetch(target, { ...init, signal: AbortSignal.timeout(timeout) });
  } catch (error) {
    const why =
      error instanceof Error && error.name === "TimeoutError"
        ? `does not answer within ${timeout / 1_000} s`
        : `does not answer (${causeOf(error)})`;
    const trouble = error instanceof Error ? tlsTrouble(error.cause) : undefined;
    if (trouble !== undefined) {
      throw new MarsadError("UNREACHABLE", `${target.origin}: ${trouble} (--ca FILE, or MARSAD_CA).`, {
        cause: error,
      });
    }
    throw new MarsadError(
      "UNREACHABLE",
      `The platform at ${target.origin} ${why}. Start it with "marsad up" or "marsad platform", ` +
        "or say where it is with --http URL.",
      { cause: error },
    );
  }
}

async function* whole(body: AsyncIterable<Uint8Array>, target: URL): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new MarsadError(
      "UNREACHABLE",
      `The answer of ${target.origin} broke off (${causeOf(error)}), and what came of it is not all: the platform's log says why; ask for less at once.`,
      { cause: error },
    );
  }
}

/** `fetch` hides why it failed in the error's cause: `ECONNREFUSED`. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error) return "code" in cause ? String(cause.code) : cause.message;
  return String(cause);
}

function refusal(target: URL, status: number, body: unknown): MarsadError {
  const problem = Problem.safeParse(body);
  if (!problem.success) {
    return new MarsadError(
      "UNREACHABLE",
      `What answers at ${target.origin} is no Marsad platform (HTTP ${status}).`,
    );
  }
  const { code, detail } = problem.data;
  if (status === 401) return unauthorized(code === "credentials-wrong" ? detail : undefined);
  return new MarsadError(status === 404 ? "NOT_FOUND" : "REFUSED", detail);
}

const InfluxError = z.object({ error: z.string() });

/**
 * InfluxDB's addresses say what is wrong in InfluxDB's way, the guards before them in ours.
 * @param hasShown  Credentials.
 */
function influxRefusal(target: URL, status: number, body: unknown, hasShown: boolean): MarsadError {
  const said = InfluxError.safeParse(body);
  if (!said.success) return refusal(target, status, body);
  const { error } = said.data;
  return status === 401
    ? unauthorized(hasShown ? error.replace(/^authorization failed: /, "") : undefined)
    : new MarsadError("REFUSED", error);
}

/** @param wrong  What is wrong with the credentials that were shown. */
function unauthorized(wrong: string | undefined): MarsadError {
  return new MarsadError(
    "UNAUTHORIZED",
    `${wrong ?? "The platform asks who you are."} Put a token into MARSAD_TOKEN, or say --user NAME with the password in MARSAD_PASSWORD_FILE; ` +
      "`marsad token add` and `marsad user add` make them.",
  );
}
