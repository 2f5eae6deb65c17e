import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { MarsadError } from "#runtime/errors.ts";
import type { RecordReader, RecordStore } from "#runtime/record-store.ts";
import { Role } from "./roles.ts";
import { expectAccountName } from "./users.ts";

const TokenRecord = z.object({
  name: z.string(),
  role: Role,
  /** SHA-256 of the whole token: nobody guesses 192 random bits. */
  hash: z.string(),
  /** ms since 1970 */
  created: z.number(),
  expires: z.number().optional(),
});
export type TokenRecord = z.infer<typeof TokenRecord>;

/** What a program shows instead of a name and a password. */
export interface Token {
  readonly name: string;
  readonly role: Role;
  /** How the token begins, to recognise it by; the secret comes after it. */
  readonly begins: string;
  /** ms since 1970 */
  readonly created: number;
  readonly expires: number | undefined;
  /** To some minutes. */
  readonly used: number | undefined;
}

/** By the token's id. */
export const tokensTable = "tokens";
/** id -> ms since 1970: apart, so that noting a use never touches a token. */
const usesTable = "token-uses";

/** `marsad_1a2b3c4d_` and 192 bits: scanners of repositories find what was committed by mistake. */
const tokenPattern = /^marsad_([0-9a-f]{8})_[\w-]{32}$/;

/** By name. */
export function listTokens(records: RecordReader): Token[] {
  return records
    .entries(tokensTable)
    .map(([id, record]) => {
      const { name, role, created, expires } = TokenRecord.parse(record);
      const used = z.number().optional().parse(records.get(usesTable, id));
      return { name, role, begins: beginning(id), created, expires, used };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * @param expires  ms since 1970; undefined: never.
 * @returns the token, which is nowhere else.
 * @throws MarsadError CONFIG_INVALID for a bad name, ALREADY_EXISTS, RECORDS_UNWRITABLE
 */
export function addToken(
  records: RecordStore,
  { name, role, expires }: { name: string; role: Role; expires?: number | undefined },
): string {
  expectAccountName(name);
  return records.transaction((transaction) => {
    if (idOf(transaction, name) !== undefined) {
      throw new MarsadError("ALREADY_EXISTS", `there is a token ${name} already`);
    }
    let id: string;
    do id = randomBytes(4).toString("hex");
    while (transaction.get(tokensTable, id) !== undefined);
    const token = `${beginning(id)}${randomBytes(24).toString("base64url")}`;
    const record: TokenRecord = { name, role, hash: hashToken(token), created: Date.now() };
    transaction.put(tokensTable, id, expires === undefined ? record : { ...record, expires });
    return token;
  });
}

/** @throws MarsadError NOT_FOUND, RECORDS_UNWRITABLE */
export function removeToken(records: RecordStore, name: string): void {
  records.transaction((transaction) => {
    const id = idOf(transaction, name);
    if (id === undefined) throw new MarsadError("NOT_FOUND", `there is no token ${name}`);
    transaction.remove(tokensTable, id);
    transaction.remove(usesTable, id);
  });
}

/** The token's record, also when its time is over; undefined when there is no such token. */
export function findToken(
  records: RecordReader,
  token: string,
): (TokenRecord & { readonly id: string }) | undefined {
  const id = tokenPattern.exec(token)?.[1];
  const stored = id === undefined ? undefined : records.get(tokensTable, id);
  if (id === undefined || stored === undefined) return undefined;
  const record = TokenRecord.parse(stored);
  const isSame = timingSafeEqual(Buffer.from(record.hash), Buffer.from(hashToken(token)));
  return isSame ? { ...record, id } : undefined;
}

/** @throws MarsadError RECORDS_UNWRITABLE */
export function noteUse(records: RecordStore, id: string, now: number): void {
  records.transaction((transaction) => {
    // It may have been removed meanwhile.
    if (transaction.get(tokensTable, id) !== undefined) transaction.put(usesTable, id, now);
  });
}

function idOf(records: RecordReader, name: string): string | undefined {
  return records.entries(tokensTable).find(([, record]) => TokenRecord.parse(record).name === name)?.[0];
}

function beginning(id: string): string {
  return `marsad_${id}_`;
}

function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
