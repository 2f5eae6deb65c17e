import type { Registry } from "prom-client";
import { Gauge } from "prom-client";
import { isLoopback } from "#runtime/address.ts";
import { MarsadError } from "#runtime/errors.ts";
import type { Log } from "#runtime/log.ts";
import { readServerIdentity, type ServerIdentity, timeProblem, type TlsFiles } from "#runtime/tls.ts";
import type { PlatformConfig } from "./config.ts";

/** Certificates are renewed well before their end; later than this it is worth a word at each start and SIGHUP. */
const soon = 14 * 86_400_000;

/**
 * The configured files.
 * @throws MarsadError CONFIG_INVALID when one is missing
 */
export function tlsFiles(config: PlatformConfig): TlsFiles | undefined {
  const { tls_cert: cert, tls_key: key, tls_client_ca: clientCa } = config;
  if (cert !== undefined && key !== undefined) return { cert, key, clientCa };
  const given = { tls_cert: cert, tls_key: key, tls_client_ca: clientCa };
  const alone = Object.entries(given).find(([, file]) => file !== undefined)?.[0];
  if (alone === undefined) return undefined;
  throw new MarsadError(
    "CONFIG_INVALID",
    `${alone} alone encrypts nothing: give tls_cert and tls_key (--tls-cert, --tls-key), or none of them`,
  );
}

/** @throws MarsadError CONFIG_INVALID for an address that others can reach when nothing encrypts */
export function refuseOpenAddress(
  host: string,
  { tls, behindProxy }: { tls: boolean; behindProxy: boolean },
): void {
  if (tls || behindProxy || isLoopback(host)) return;
  throw new MarsadError(
    "CONFIG_INVALID",
    `${host} can be reached from other machines and nothing encrypts: give a certificate with --tls-cert and --tls-key, listen on 127.0.0.1, or put a proxy with TLS before the platform and say --behind-proxy`,
  );
}

/** The platform's certificate: what is shown now, and what its files say when they are read again. */
export class PlatformTls {
  readonly #files: TlsFiles;
  readonly #log: Log;
  #shown: ServerIdentity;

  private constructor(files: TlsFiles, shown: ServerIdentity, log: Log) {
    this.#files = files;
    this.#shown = shown;
    this.#log = log;
  }

  /** @throws MarsadError CONFIG_INVALID for files that are unusable; one that has expired is only told of. */
  static async open(
    files: TlsFiles,
    { log, metrics }: { log: Log; metrics: Registry },
  ): Promise<PlatformTls> {
    const shown = await readServerIdentity(files);
    const problem = timeProblem(shown, Date.now());
    if (problem !== undefined) log.error({ file: files.cert, problem }, "No client that looks will connect.");
    const tls = new PlatformTls(files, shown, log);
    tls.#tell("TLS is on.");
    const expiry: Gauge = new Gauge({
      name: "marsad_tls_certificate_expires_timestamp_seconds",
      help: "When the certificate that is shown expires, in seconds since 1970.",
      registers: [metrics],
      collect: () => expiry.set(tls.#shown.validTo / 1000),
    });
    return tls;
  }

  get shown(): ServerIdentity["options"] {
    return this.#shown.options;
  }

  /** Reads the files again. What cannot be shown is logged and not taken. @returns what to show from now on, if that is new */
  async reload(): Promise<ServerIdentity["options"] | undefined> {
    const { cert: file } = this.#files;
    let read: ServerIdentity;
    try {
      read = await readServerIdentity(this.#files);
    } catch (error) {
      this.#log.error({ err: error }, "The certificate was not taken; the former one is shown still.");
      return undefined;
    }
    const problem = timeProblem(read, Date.now());
    if (problem !== undefined) {
      this.#log.error({ file, problem }, "The certificate was not taken; the former one is shown still.");
      return undefined;
    }
    this.#shown = read;
    this.#tell("The certificate was read again.");
    return read.options;
  }

  #tell(message: string): void {
    const { names, validTo, fingerprint } = this.#shown;
    const facts = { names, expires: new Date(validTo).toISOString(), fingerprint };
    if (validTo - Date.now() > soon) this.#log.info(facts, message);
    else this.#log.warn({ ...facts, hint: "renew it, then send SIGHUP" }, message);
  }
}
