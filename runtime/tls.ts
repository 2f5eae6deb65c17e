import { constants, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { MarsadError } from "./errors.ts";

/** PEM files. */
export interface TlsFiles {
  /** The server's certificate, with those between it and the root behind it. */
  readonly cert: string;
  readonly key: string;
  /** Who may sign clients' certificates; without it none is asked for. */
  readonly clientCa?: string | undefined;
}

/** What a TLS server shows, read and checked. */
export interface ServerIdentity {
  readonly options: SecureContextOptions;
  /** Names and addresses that it is for, as the certificate spells them. */
  readonly names: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** SHA-256, in hex. */
  readonly fingerprint: string;
}

/**
 * Reads the files that a TLS server needs.
 * @throws MarsadError CONFIG_INVALID for files that cannot be read, are no PEM, or do not belong together. A certificate whose time is over is no
 *   such thing: see `timeProblem`.
 */
export async function readServerIdentity(files: TlsFiles): Promise<ServerIdentity> {
  const [cert, key, ca] = await Promise.all([
    readPem("tls_cert", files.cert),
    readPem("tls_key", files.key),
    files.clientCa === undefined ? undefined : readPem("tls_client_ca", files.clientCa),
  ]);
  const certificate = parse(
    () => new X509Certificate(cert),
    `tls_cert: ${files.cert} holds no certificate in PEM form`,
  );
  const privateKey: KeyObject = parse(
    () => createPrivateKey(key),
    `tls_key: ${files.key} holds no private key in PEM form without a passphrase`,
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new MarsadError(
      "CONFIG_INVALID",
      `tls_key: the key in ${files.key} is not that of the certificate in ${files.cert}`,
    );
  }
  if (ca !== undefined) {
    parse(() => new X509Certificate(ca), `tls_client_ca: ${files.clientCa} holds no certificate in PEM form`);
  }
  const options: SecureContextOptions = {
    cert,
    key,
    ...(ca !== undefined && { ca }),
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
  parse(() => createSecureContext(options), `tls_cert: ${files.cert} cannot be used`);
  return {
    options,
    names: certificate.subjectAltName ?? certificate.subject,
    validFrom: certificate.validFromDate.getTime(),
    validTo: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

/** Why nobody who looks would accept the certificate at `now` (milliseconds since 1970); undefined: its time is now. */
export function timeProblem({ validFrom, validTo }: ServerIdentity, now: number): string | undefined {
  if (now > validTo) return `the certificate expired on ${new Date(validTo).toISOString()}`;
  return now < validFrom
    ? `the certificate is valid from ${new Date(validFrom).toISOString()} on`
    : undefined;
}

async function readPem(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MarsadError("CONFIG_INVALID", `${key}: ${path} cannot be read: ${why}`, { cause: error });
  }
}

function parse<Value>(make: () => Value, problem: string): Value {
  try {
    return make();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new MarsadError("CONFIG_INVALID", `${problem}: ${why}`, { cause: error });
  }
}

const words: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired: renew it there, or set this machine's clock",
  CERT_NOT_YET_VALID: "its certificate is not valid yet: is this machine's clock right?",
  SELF_SIGNED_CERT_IN_CHAIN:
    "its certificate is from an authority that is not known here: name that authority's certificate",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed: name that certificate as the one to trust",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "its certificate is from an authority that is not known here: name that authority's certificate",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "its certificate is from an authority that is not known here: name that authority's certificate",
  UNABLE_TO_GET_ISSUER_CERT:
    "its certificate is from an authority that is not known here: name that authority's certificate",
  CERT_SIGNATURE_FAILURE: "its certificate was not signed by the authority that it names",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS on that port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS on that port",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it speaks no version of TLS that is spoken here",
};

/** Why a TLS client turned away from a server, in words that say what to do; undefined for an error of another kind. */
export function tlsTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  if (error.code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const reason = "reason" in error ? ` (${String(error.reason)})` : "";
    return `its certificate is for another name${reason}: connect under a name that stands in it, or have one made for this name`;
  }
  return Object.hasOwn(words, error.code) ? words[error.code] : undefined;
}
