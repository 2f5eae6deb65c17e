import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import { openPasswordVerifier, type PasswordVerifier } from "#runtime/password-verifier.ts";
import type { RecordReader, RecordStore } from "#runtime/record-store.ts";
import { AgencyName, type GatewayIdentity, GatewayName } from "#telemetry/names.ts";
import type { Authenticate } from "./admission.ts";

const GatewayRecord = z.object({
  agency: AgencyName,
  /** `hashPassword`; of a gateway that an older version added: PHC string, argon2id. */
  hash: z.string(),
  /** ms since 1970 */
  created: z.number(),
});

/** A gateway that may connect. */
export interface GatewayEntry extends GatewayIdentity {
  /** ms since 1970 */
  readonly created: number;
}

const table = "gateways";
/** Nobody chooses a password: it is 192 random bits. */
const passwordBytes = 24;
/** What `hash` begins with. */
const sha256 = "$sha256$";
/** Connections waiting for an argon2; with more, the platform says that it cannot tell now. */
const waitingVerifications = 1000;

/** All gateways of the identities folder (`openRecordStore`), by name. */
export function listGateways(records: RecordReader): GatewayEntry[] {
  return records.entries(table).map(([name, record]) => {
    const { agency, created } = GatewayRecord.parse(record);
    return { name, agency, created };
  });
}

/**
 * Lets a gateway connect. Names are unique over all agencies: a gateway's name is its MQTT user name.
 * @returns its password, which is nowhere else.
 * @throws MarsadError CONFIG_INVALID for a bad name, ALREADY_EXISTS, RECORDS_UNWRITABLE
 */
export async function addGateway(records: RecordStore, identity: GatewayIdentity): Promise<string> {
  const { name, agency } = identity;
  expectName(GatewayName, "gateway", name);
  expectName(AgencyName, "agency", agency);
  const password = randomBytes(passwordBytes).toString("base64url");
  const hash = hashPassword(name, password);
  records.transaction((transaction) => {
    const existing = transaction.get(table, name);
    if (existing !== undefined) {
      const { agency: owner } = GatewayRecord.parse(existing);
      throw new MarsadError("ALREADY_EXISTS", `there is a gateway ${name} already, of agency ${owner}`);
    }
    transaction.put(table, name, { agency, hash, created: Date.now() } satisfies z.infer<
      typeof GatewayRecord
    >);
  });
  return password;
}

/**
 * Takes a gateway's credentials away; a running platform closes its connections.
 * @throws MarsadError NOT_FOUND, RECORDS_UNWRITABLE
 */
export function removeGateway(records: RecordStore, name: string): void {
  const removed = records.transaction((transaction) => {
    // Whoever gets the name later is another gateway.
    for (const told of ["gateway-config", "gateway-config-reports"]) transaction.remove(told, name);
    return transaction.remove(table, name);
  });
  if (!removed) throw new MarsadError("NOT_FOUND", `there is no gateway ${name}`);
}

/** @throws MarsadError NOT_FOUND */
export function expectGateway(records: RecordReader, name: string): GatewayIdentity {
  const record = find(records, name);
  if (record !== undefined) return { name, agency: record.agency };
  throw new MarsadError("NOT_FOUND", `there is no gateway ${name}; add it with marsad gateway add`);
}

/** Calls `onGone` with the name of each gateway whose credentials were removed or changed by any process, until `signal`. */
export function watchGateways(
  records: RecordStore,
  onGone: (name: string) => void,
  options: { signal: AbortSignal; interval_ms?: number },
): void {
  const read = (): Map<string, string> =>
    new Map(records.entries(table).map(([name, record]) => [name, JSON.stringify(record)]));
  let before = read();
  records.watch(() => {
    const now = read();
    const gone = [...before].filter(([name, record]) => now.get(name) !== record);
    before = now;
    for (const [name] of gone) onGone(name);
  }, options);
}

/**
 * What is kept of a gateway's password. One SHA-256: a slow hash makes guessing a chosen password dear, and nobody guesses 192 random
 * bits; it would only make a storm of wrong ones dear for the platform, and the return of a city's gateways after a restart.
 */
export function hashPassword(name: string, password: string | Uint8Array): string {
  return sha256 + createHash("sha256").update(`${name}\0`).update(password).digest("base64url");
}

/**
 * Checks names and passwords against the folder as it is at that moment. An unknown name costs as much as a wrong password.
 * argon2 is for gateways that an older version added; nobody else waits for it.
 */
export function createAuthenticator(
  records: RecordReader,
  verifier: PasswordVerifier = openPasswordVerifier(),
): Authenticate {
  /** What is read and compared for an unknown name. */
  const nobody = JSON.stringify({
    agency: "nobody",
    hash: hashPassword("", randomBytes(passwordBytes)),
    created: 0,
  });

  const verifySlowly = async (name: string, password: Uint8Array, hash: string): Promise<boolean> => {
    const attempt = { owner: `gateway ${name}`, password, hash };
    const right = await verifier.verify(attempt, waitingVerifications);
    // It may have been removed meanwhile.
    return right && find(records, name)?.hash === hash;
  };

  return async (name, password) => {
    const record = find(records, name);
    const { hash } = record ?? GatewayRecord.parse(JSON.parse(nobody));
    const right = hash.startsWith(sha256)
      ? isEqual(hash, hashPassword(name, password))
      : await verifySlowly(name, password, hash);
    return right && record !== undefined ? { name, agency: record.agency } : undefined;
  };
}

function isEqual(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

function find(records: RecordReader, name: string): z.infer<typeof GatewayRecord> | undefined {
  // Longer than any name, and than the record store's keys may be.
  if (!GatewayName.safeParse(name).success) return undefined;
  const record = records.get(table, name);
  return record === undefined ? undefined : GatewayRecord.parse(record);
}

function expectName(schema: z.ZodType<string>, what: string, name: string): void {
  const parsed = schema.safeParse(name);
  if (parsed.success) return;
  const wanted = parsed.error.issues.map(({ message }) => message).join("; ");
  throw new MarsadError(
    "CONFIG_INVALID",
    `"${name}" cannot be the name of ${what === "agency" ? "an" : "a"} ${what}: ${wanted}`,
  );
}
