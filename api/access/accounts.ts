import { hasCode } from "#runtime/errors.ts";
import { type Log, oncePer } from "#runtime/log.ts";
import { nobodysHash, type PasswordVerifier } from "#runtime/password-verifier.ts";
import type { RecordStore } from "#runtime/record-store.ts";
import type { Credentials } from "../credentials.ts";
import { Attempts } from "./attempts.ts";
import type { Role } from "./roles.ts";
import { findToken, noteUse, tokensTable } from "./tokens.ts";
import { AccountName, findUser, normalPassword, UserRecord, usersTable } from "./users.ts";

/** Who asks. */
export interface Caller {
  /** `local`: nobody is asked for credentials, since there are no users. */
  readonly kind: "local" | "user" | "token" | "certificate";
  readonly name: string;
  readonly role: Role;
}

/** Why credentials are not taken. */
export type Refusal =
  | { readonly reason: "wrong-credentials" | "expired" | "busy" }
  | { readonly reason: "too-many-attempts"; readonly wait_ms: number };

/** The users and tokens of a platform, as they are at the moment of each question. */
export interface Accounts {
  /** There is neither a user nor a token. */
  isEmpty(): boolean;
  /** @param address  Of whoever asks, as far as it is known. */
  identify(credentials: Credentials, address: string): Promise<Caller | Refusal>;
}

/** HTTP's tries that may wait for an argon2: gateways of older versions wait for the same. */
const waitingTries = 50;
/** A token's use is noted at most so often: noting is a write to the disk. */
const useNoted_ms = 600_000;

/** Of a platform that asks nobody who they are. */
export const noAccounts: Accounts = {
  isEmpty: () => true,
  identify: async () => ({ reason: "wrong-credentials" }),
};

export interface AccountsOptions {
  readonly records: RecordStore;
  readonly verifier: PasswordVerifier;
  readonly log: Log;
}

/** Reads the identities folder at each request, so that a change holds at once. An unknown name costs as much as a wrong password. */
export function openAccounts({ records, verifier, log }: AccountsOptions): Accounts {
  const attempts = new Attempts();
  /** What is read and compared for an unknown name. */
  const nobody = JSON.stringify({
    role: "viewer",
    hash: nobodysHash(),
    created: 0,
    changed: 0,
  } satisfies UserRecord);
  const noted = new Map<string, number>();
  const unnoted = oncePer();

  const byToken = (token: string): Caller | Refusal => {
    const found = findToken(records, token);
    if (found === undefined) return { reason: "wrong-credentials" };
    const now = Date.now();
    if (found.expires !== undefined && found.expires <= now) return { reason: "expired" };
    note(found.id, now);
    return { kind: "token", name: found.name, role: found.role };
  };

  const note = (id: string, now: number): void => {
    if (now - (noted.get(id) ?? 0) < useNoted_ms) return;
    noted.set(id, now);
    setImmediate(() => {
      try {
        noteUse(records, id, now);
      } catch (error) {
        // A full disk shuts nobody out.
        const held = unnoted("use");
        if (held !== undefined) log.warn({ err: error, held }, "A token's use was not noted.");
      }
    });
  };

  const byPassword = async (shown: string, password: string, address: string): Promise<Caller | Refusal> => {
    // What is no name is nobody's, and may be long: all of those are one.
    const name = AccountName.safeParse(shown).success ? shown : "";
    const user = findUser(records, name);
    const { hash, role } = user ?? UserRecord.parse(JSON.parse(nobody));
    const attempt = { owner: `user ${name}`, password: Buffer.from(normalPassword(password)), hash };
    const known = verifier.recall(attempt);
    // The same wrong password again teaches its sender nothing: a forgotten script must not use up its user's tries.
    if (known === false) return { reason: "wrong-credentials" };
    let right: boolean;
    if (known instanceof Promise) {
      right = await known;
    } else {
      const tried = attempts.begin(name, address);
      if (typeof tried === "number") return { reason: "too-many-attempts", wait_ms: tried };
      try {
        right = known ?? (await verifier.verify(attempt, waitingTries));
      } catch (error) {
        tried.cancel();
        throw error;
      }
      if (right) tried.succeed();
    }
    // It may have been removed or changed meanwhile.
    const isStill = right && findUser(records, name)?.hash === hash;
    return isStill ? { kind: "user", name, role } : { reason: "wrong-credentials" };
  };

  return {
    isEmpty: () =>
      [usersTable, tokensTable].every((table) => records.entries(table, { limit: 1 }).length === 0),
    async identify(credentials, address) {
      if (credentials.kind === "token") return byToken(credentials.token);
      try {
        return await byPassword(credentials.name, credentials.password, address);
      } catch (error) {
        if (hasCode(error, "REFUSED")) return { reason: "busy" };
        throw error;
      }
    },
  };
}
