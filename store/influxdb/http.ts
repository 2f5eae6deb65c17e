import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import {
  HttpError,
  InfluxDB,
  type SendOptions,
  type Transport,
  setLogger,
} from "@influxdata/influxdb-client";
import { MarsadError } from "#runtime/errors.ts";
import { wordsOf } from "./answers.ts";

export interface InfluxAddress {
  /** `http://127.0.0.1:8086`, with or without a path. */
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Request {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  /** Bytes are copied before this returns. */
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  /** How the password is shown: 1.x and the paths of 1.x take Basic; the APIs of 2.x and 3.x a token. */
  readonly scheme?: "Basic" | "Token" | "Bearer";
  /** Milliseconds until the answer must be there, whole. */
  readonly timeout: number;
}

/** Milliseconds that an idle connection is kept. */
const keepAlive = 15_000;

/**
 * The client's transport, which retries nothing, with what it lacks: a time-out that ends the request, Basic, the status of every answer.
 * Its write API is not used: it takes 201, a partial write of InfluxDB 3, for a success.
 */
export class InfluxHttp implements Disposable {
  readonly #address: InfluxAddress;
  readonly #transport: Transport;
  readonly #agent: HttpAgent;
  readonly #closed = new AbortController();

  /** @param connections  At the same time; more requests wait for one. */
  constructor(address: InfluxAddress, connections: number) {
    setLogger({ error: () => undefined, warn: () => undefined }); // what goes wrong, the caller hears
    const options = { keepAlive: true, keepAliveMsecs: keepAlive, maxSockets: connections };
    this.#address = address;
    this.#agent = address.url.startsWith("https:") ? new HttpsAgent(options) : new HttpAgent(options);
    const client = new InfluxDB({
      url: address.url,
      timeout: 0, // the signal's task: the client's own leaves the request on its way
      transportOptions: { agent: this.#agent },
    });
    this.#transport = client.transport;
  }

  /**
   * Any answer, whatever its status.
   * @throws MarsadError STORE_UNAVAILABLE: none came
   */
  async request({ path, body = "", timeout, ...request }: Request): Promise<Answer> {
    const signal = this.#signal(timeout);
    try {
      const options = { method: request.method, headers: this.#headers(request), signal };
      return await this.#send(path, body, options);
    } catch (error) {
      if (error instanceof HttpError)
        return { status: error.statusCode, headers: error.headers ?? {}, body: error.body ?? "" };
      throw this.#unreachable(error, signal, timeout);
    }
  }

  /**
   * The lines of a streamed answer; leaving the loop ends the request.
   * @throws MarsadError STORE_UNAVAILABLE: no answer, or another status than 200
   */
  async *lines({ path, body = "", timeout, ...request }: Request): AsyncGenerator<string> {
    const leave = new AbortController();
    const signal = AbortSignal.any([this.#signal(timeout), leave.signal]);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      const options = { method: request.method, headers: this.#headers(request), signal };
      for await (const chunk of this.#transport.iterate(path, body, options)) {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = parts.pop() ?? "";
        yield* parts.filter((part) => part !== "");
      }
    } catch (error) {
      if (error instanceof HttpError) throw this.unexpected(error.statusCode, error.body ?? "");
      throw this.#unreachable(error, signal, timeout);
    } finally {
      leave.abort();
    }
    if (rest !== "") yield rest;
  }

  /** An answer that means: later, perhaps. */
  unexpected(status: number, body: string, hint = ""): MarsadError {
    const { url, user } = this.#address;
    const words = wordsOf(body);
    const who = user === undefined ? "without a user" : `the user ${user}`;
    const why =
      status === 401 || status === 403
        ? `it refuses ${who} (${status}${words === "" ? "" : `: ${words}`}): look at influx_user and MARSAD_INFLUX_PASSWORD`
        : `it answered ${status}${words === "" ? "" : `: ${words}`}`;
    return new MarsadError(
      "STORE_UNAVAILABLE",
      `InfluxDB at ${url}: ${why}${hint === "" ? "" : `; ${hint}`}`,
    );
  }

  /**
   * The client's types ask for a text, of which it makes bytes with `Buffer.from`; that copies bytes as they are (client 1.35, pinned). By the detour over
   * a text the adapter cost 1.25-1.45 CPU-seconds per million lines, without it 0.9-1.2: texts of a megabyte are garbage at once.
   */
  #send(path: string, body: string | Uint8Array, options: SendOptions): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = [];
      let status = 0;
      let headers: Answer["headers"] = {};
      this.#transport.send(path, body as string, options, {
        responseStarted: (got, code) => {
          headers = got;
          status = code ?? 0;
        },
        next: (chunk: Uint8Array) => void chunks.push(chunk),
        error: reject,
        complete: () => resolve({ status, headers, body: Buffer.concat(chunks).toString() }),
      });
    });
  }

  /** Ends what is under way. */
  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#agent.destroy();
  }

  #signal(timeout: number): AbortSignal {
    return AbortSignal.any([this.#closed.signal, AbortSignal.timeout(timeout)]);
  }

  #headers({
    contentType,
    scheme = "Basic",
  }: Pick<Request, "contentType" | "scheme">): Record<string, string> {
    const { user = "marsad", password } = this.#address;
    const headers: Record<string, string> = {
      "content-type": contentType ?? "text/plain; charset=utf-8",
      accept: "*/*", // so that the client gives bodies as they come
    };
    if (password === undefined) return headers;
    const secret = scheme === "Basic" ? Buffer.from(`${user}:${password}`).toString("base64") : password;
    return { ...headers, authorization: `${scheme} ${secret}` };
  }

  #unreachable(error: unknown, signal: AbortSignal, timeout: number): MarsadError {
    const { url } = this.#address;
    const { message = "", code = "" } = (error ?? {}) as { message?: string; code?: string };
    const why = this.#closed.signal.aborted
      ? "the store is closed"
      : signal.aborted
        ? `no answer within ${timeout / 1_000} s`
        : `it cannot be reached: ${message || code}`;
    return new MarsadError("STORE_UNAVAILABLE", `InfluxDB at ${url}: ${why}`, { cause: error });
  }
}
