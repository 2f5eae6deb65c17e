import { once } from "node:events";
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as httpRequest,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import { HttpError, InfluxDB, type Transport, setLogger } from "@influxdata/influxdb-client";
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

export interface StreamedAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Leaving the loop ends the request. What goes wrong in the middle is a STORE_UNAVAILABLE. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Resolves when the connection is free again: read to the end, left, or never begun and called off by the signal. */
  readonly ended: Promise<void>;
}

export interface Request {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  /** Bytes stay as they are until the answer has come. */
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
 * Requests that are not tried again, with a time-out that ends them, Basic, and the status of every answer; streamed answers come through the client's
 * transport. Its write API is not used: it takes 201, a partial write of InfluxDB 3, for a success.
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

  /**
   * An answer whose body comes as it comes, whatever its status; all of it within the time.
   * @throws MarsadError STORE_UNAVAILABLE: none came; or the signal's reason
   */
  async stream(
    { path, body = "", timeout, method, accept, ...request }: Request & { readonly accept: string },
    asked: AbortSignal,
  ): Promise<StreamedAnswer> {
    const within = this.#signal(timeout);
    const signal = AbortSignal.any([within, asked]);
    const explain = (error: unknown): unknown =>
      asked.aborted ? asked.reason : this.#unreachable(error, within, timeout);
    const sent = this.#open(path, { method, headers: { ...this.#headers(request), accept }, signal });
    try {
      sent.end(body);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const { statusCode: status = 0, headers } = response;
      const contentType = headers["content-type"] ?? "application/json";
      const ended = new Promise<void>((resolve) => response.once("close", resolve));
      response.on("error", () => undefined); // called off before anybody reads: no loop hears of it
      return { status, contentType, body: explained(response, explain), ended };
    } catch (error) {
      throw explain(error);
    }
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
   * Not by the client's transport, which copies a body before it sends it: buffers of a megabyte that are garbage at once cost a quarter of a CPU-second per million lines.
   * The body may change again once this has settled.
   */
  async #send(path: string, body: string | Uint8Array, options: RequestOptions): Promise<Answer> {
    const sent = this.#open(path, options);
    try {
      sent.end(body);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const { statusCode = 0, headers } = response;
      const said = await text(response);
      return {
        status: statusCode,
        headers,
        body: said === "" ? String(headers["x-influxdb-error"] ?? "") : said,
      };
    } finally {
      // Answered before all of it was read: the rest must not be sent from a buffer that holds something else by then.
      if (!sent.writableFinished) sent.destroy();
    }
  }

  #open(path: string, options: RequestOptions): ClientRequest {
    const { url } = this.#address;
    const open = url.startsWith("https:") ? httpsRequest : httpRequest;
    const sent = open(`${url}${path}`, { ...options, agent: this.#agent });
    return sent.on("error", () => undefined); // also one that comes after the answer has begun
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

async function* explained(
  body: AsyncIterable<Uint8Array>,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw explain(error);
  }
}
