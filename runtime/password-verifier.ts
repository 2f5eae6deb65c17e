import { isUtf8 } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import { turns } from "./turns.ts";

/** argon2id as OWASP's Password Storage Cheat Sheet has it: 19 MiB, two passes, one lane. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Hashes being computed at once: a storm of wrong passwords must leave ingest its core. */
const verifications = 1;
/** Wrong passwords that are remembered; beyond it the oldest is forgotten. */
const rememberedWrong = 2_000;

/** A password that somebody shows, and the argon2 hash (PHC string) that it should have. */
export interface PasswordAttempt {
  /** Whose it is, kinds of owners apart: `user alice`. */
  readonly owner: string;
  readonly password: Uint8Array;
  readonly hash: string;
}

/**
 * Verifies passwords against slow hashes for a whole process. What was right or wrong is remembered, as a hash with a key that lives in this process only and
 * for as long as the owner's own hash stays the same: a dashboard's hundred requests, or thousands of gateways that come back at once, cost one argon2 each owner.
 */
export interface PasswordVerifier {
  /** What is known of an attempt without computing anything: the answer, the answer that is being computed, or undefined. */
  recall(attempt: PasswordAttempt): boolean | Promise<boolean> | undefined;
  /**
   * @param waiting  How many may wait before this one.
   * @throws MarsadError REFUSED: more wait.
   */
  verify(attempt: PasswordAttempt, waiting: number): Promise<boolean>;
}

export function openPasswordVerifier(): PasswordVerifier {
  const key = randomBytes(32);
  const right = new Map<string, Buffer>();
  const wrong = new Set<string>();
  const running = new Map<string, Promise<boolean>>();
  const takeTurn = turns(verifications);

  const macOf = ({ owner, password, hash }: PasswordAttempt): Buffer =>
    createHmac("sha256", key).update(`${owner}\0${hash}\0`).update(password).digest();

  const recall = (owner: string, mac: Buffer): boolean | Promise<boolean> | undefined => {
    const known = right.get(owner);
    if (known !== undefined && timingSafeEqual(known, mac)) return true;
    const text = mac.toString("base64");
    return wrong.has(text) ? false : running.get(text);
  };

  const compute = async ({ owner, password, hash }: PasswordAttempt, mac: Buffer): Promise<boolean> => {
    // Other bytes are nobody's password, and argon2 throws.
    const isRight = isUtf8(password) && (await verify(hash, password));
    if (isRight) {
      right.set(owner, mac);
    } else {
      const [oldest] = wrong;
      if (oldest !== undefined && wrong.size >= rememberedWrong) wrong.delete(oldest);
      wrong.add(mac.toString("base64"));
    }
    return isRight;
  };

  return {
    recall: (attempt) => recall(attempt.owner, macOf(attempt)),
    async verify(attempt, waiting) {
      const mac = macOf(attempt);
      const known = recall(attempt.owner, mac);
      if (known !== undefined) return await known;
      const text = mac.toString("base64");
      const answer = takeTurn(async () => await compute(attempt, mac), waiting);
      running.set(text, answer);
      try {
        return await answer;
      } finally {
        running.delete(text);
      }
    },
  };
}

/** What is kept of a password that a person chose. */
export async function hashChosenPassword(password: string): Promise<string> {
  return await hash(password, parameters);
}

/** A hash that no password has, and that takes as long to verify as any other. */
export function nobodysHash(): string {
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${randomText(16)}$${randomText(32)}`;
}

/** Random bytes as PHC strings have them. */
function randomText(bytes: number): string {
  return randomBytes(bytes).toString("base64").replaceAll("=", "");
}
