import { randomBytes } from "node:crypto";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import { hashChosenPassword } from "#runtime/password-verifier.ts";
import type { RecordReader, RecordStore, RecordTransaction } from "#runtime/record-store.ts";
import { Role } from "./roles.ts";

/** Of users and of tokens. A colon would end the name in HTTP's Basic. */
export const AccountName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._@-]{0,63}$/,
    "lower-case letters, digits and . _ @ -, at most 64, a letter or digit first",
  );

/** What is kept of a user. */
export const UserRecord = z.object({
  role: Role,
  /** PHC string, argon2id. */
  hash: z.string(),
  /** ms since 1970 */
  created: z.number(),
  changed: z.number(),
});
export type UserRecord = z.infer<typeof UserRecord>;

/** Somebody who may use the HTTP face. */
export interface User {
  readonly name: string;
  readonly role: Role;
  /** ms since 1970 */
  readonly created: number;
  /** When the password was set, ms since 1970. */
  readonly changed: number;
}

export const usersTable = "users";
/** Characters. NIST SP 800-63B-4 asks for 15 where the password is the only factor. */
export const passwordLength = { min: 15, max: 128 };
/** Fewer different characters are a pattern. */
const differentCharacters = 5;

export function listUsers(records: RecordReader): User[] {
  return records.entries(usersTable).map(([name, record]) => {
    const { role, created, changed } = UserRecord.parse(record);
    return { name, role, created, changed };
  });
}

export function findUser(records: RecordReader, name: string): UserRecord | undefined {
  // Longer than any name, and than the record store's keys may be.
  if (!AccountName.safeParse(name).success) return undefined;
  const record = records.get(usersTable, name);
  return record === undefined ? undefined : UserRecord.parse(record);
}

/** @throws MarsadError CONFIG_INVALID for a bad name or a weak password, ALREADY_EXISTS, RECORDS_UNWRITABLE */
export async function addUser(
  records: RecordStore,
  { name, role }: { name: string; role: Role },
  password: string,
): Promise<void> {
  expectAccountName(name);
  expectPassword(name, password);
  const hash = await hashChosenPassword(normalPassword(password));
  const now = Date.now();
  records.transaction((transaction) => {
    if (transaction.get(usersTable, name) !== undefined) {
      throw new MarsadError("ALREADY_EXISTS", `there is a user ${name} already`);
    }
    put(transaction, name, { role, hash, created: now, changed: now });
  });
}

/** @throws MarsadError NOT_FOUND, CONFIG_INVALID, RECORDS_UNWRITABLE */
export async function setPassword(records: RecordStore, name: string, password: string): Promise<void> {
  expectUser(records, name);
  expectPassword(name, password);
  const hash = await hashChosenPassword(normalPassword(password));
  records.transaction((transaction) => {
    put(transaction, name, { ...expectUser(transaction, name), hash, changed: Date.now() });
  });
}

/** @throws MarsadError NOT_FOUND, RECORDS_UNWRITABLE */
export function setRole(records: RecordStore, name: string, role: Role): void {
  records.transaction((transaction) => {
    put(transaction, name, { ...expectUser(transaction, name), role });
  });
}

/** @throws MarsadError NOT_FOUND, RECORDS_UNWRITABLE */
export function removeUser(records: RecordStore, name: string): void {
  const removed = records.transaction((transaction) => transaction.remove(usersTable, name));
  if (!removed) throw new MarsadError("NOT_FOUND", `there is no user ${name}`);
}

/** 144 random bits. */
export function makePassword(): string {
  return randomBytes(18).toString("base64url");
}

/** One spelling of what looks the same, whatever keyboard it came from (NIST SP 800-63B-4: NFKC). */
export function normalPassword(password: string): string {
  return password.normalize("NFKC");
}

/** @throws MarsadError CONFIG_INVALID for a name that nobody can have */
export function expectAccountName(name: string): void {
  const parsed = AccountName.safeParse(name);
  if (parsed.success) return;
  const wanted = parsed.error.issues.map(({ message }) => message).join("; ");
  throw new MarsadError("CONFIG_INVALID", `"${name}" cannot be a name: ${wanted}`);
}

/** @throws MarsadError CONFIG_INVALID, saying what is wrong with it */
export function expectPassword(name: string, password: string): void {
  const characters = Array.from(normalPassword(password));
  const { min, max } = passwordLength;
  const problem =
    characters.length < min
      ? `at least ${min} characters; several words make a good one, and --generate makes one`
      : characters.length > max
        ? `at most ${max} characters`
        : characters.some((character) => /\p{Cc}/u.test(character))
          ? "no line breaks and no control characters"
          : new Set(characters).size < differentCharacters || password.toLowerCase().includes(name)
            ? "not a pattern, and not the user's name in it"
            : undefined;
  if (problem !== undefined)
    throw new MarsadError("CONFIG_INVALID", `the password cannot be taken: ${problem}`);
}

function expectUser(records: RecordReader, name: string): UserRecord {
  const record = findUser(records, name);
  if (record !== undefined) return record;
  throw new MarsadError("NOT_FOUND", `there is no user ${name}`);
}

function put(transaction: RecordTransaction, name: string, record: UserRecord): void {
  transaction.put(usersTable, name, record);
}
