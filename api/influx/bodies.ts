import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { InfluxError } from "./form.ts";

/** Bytes of one write, unpacked; as in InfluxDB. */
export const writeBytes = 25_000_000;
/** Bytes of all writes that are held at the same time. */
const heldBytes = 64 * 1024 * 1024;

const unpack = promisify(gunzip);

/**
 * Reads the bodies of writes whole: nothing is taken of one that is cut off. All that are held have a bound together; beyond it a client is to come
 * again.
 */
export class Bodies {
  static readonly bound = heldBytes;
  #count = 0;
  #bytes = 0;
  #unpacking: Promise<unknown> = Promise.resolve();

  /** What is held at this moment. */
  get level(): { depth: number; bytes: number } {
    return { depth: this.#count, bytes: this.#bytes };
  }

  /** @throws InfluxError 400, 413, 503 */
  async read(request: IncomingMessage): Promise<Body> {
    let held = 0;
    const hold = (bytes: number): void => {
      if (this.#bytes + bytes > heldBytes)
        throw new InfluxError(503, "too many writes at the same time; send it again", 1);
      this.#bytes += bytes;
      held += bytes;
    };
    const release = (): void => {
      this.#count -= 1;
      this.#bytes -= held;
    };
    this.#count += 1;
    try {
      const received = await receive(request, hold);
      const bytes = isPacked(request) && received.length > 0 ? await this.#unpack(received) : received;
      if (bytes !== received) hold(bytes.length);
      return { bytes, [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** One after another: each may become as large as a write may be. */
  async #unpack(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const unpacking = this.#unpacking.then(() => unpack(packed, { maxOutputLength: writeBytes }));
    this.#unpacking = unpacking.catch(() => undefined);
    try {
      return await unpacking;
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge();
      throw new InfluxError(400, `the body is not gzip: ${(error as Error).message}`);
    }
  }
}

/** A write's lines; they are held until it is disposed. */
export interface Body extends Disposable {
  readonly bytes: Uint8Array;
}

/** @param hold  Told of bytes before they are kept; throws when there is no room. */
async function receive(
  request: IncomingMessage,
  hold: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > writeBytes) throw tooLarge();
  hold(announced);
  const chunks: Uint8Array[] = [];
  let length = 0;
  // The connection must outlive an early end of this loop: the answer goes over it.
  const incoming: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
  try {
    for await (const chunk of incoming) {
      length += chunk.length;
      if (length > writeBytes) throw tooLarge();
      if (length > announced) hold(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof InfluxError ? error : new InfluxError(400, "the body was cut off");
  }
  return Buffer.concat(chunks, length);
}

function isPacked({ headers }: IncomingMessage): boolean {
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return false;
  if (encoding === "gzip" || encoding === "x-gzip") return true;
  throw new InfluxError(400, `Content-Encoding ${encoding} is not spoken here; gzip is`);
}

function tooLarge(): InfluxError {
  return new InfluxError(413, `a write may have ${writeBytes} bytes, unpacked; send fewer lines at a time`);
}
