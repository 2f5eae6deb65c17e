import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MarsadError } from "./errors.ts";

/** A connection that is garbage gives its lock back: these are not, until they are closed. */
const held = new Set<DatabaseSync>();

/**
 * Milliseconds in which another program's `isLocked`, which takes the lock for a moment, is over. SQLite looks ever more seldom, soon ten times a second only: one
 * that looks without a pause must not be met each time.
 */
const glancePatience = 1000;

/** SQLite's result code for a file that another connection has locked. */
const sqliteBusy = 5;

/**
 * Takes folder `path`, made if missing, for this program alone, until disposal or the end of the process by any death.
 *
 * Node has no flock; SQLite takes POSIX record locks on an empty file, which the kernel drops with the process: no stale
 * lock after `kill -9`, no race between two that start at once, and it holds between containers that share a volume.
 * Nothing else in this process may open and close the file `lock`: that drops such locks. `holder` beside it is only for
 * the message.
 * @throws MarsadError DATA_LOCKED, naming the holder's process; DATA_UNUSABLE when the folder cannot be made or written
 */
export function lockFolder(path: string): Disposable {
  const holder = join(path, "holder");
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(join(path, "lock"), { timeout: glancePatience });
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    if (error instanceof Error && "errcode" in error && error.errcode === sqliteBusy) {
      throw new MarsadError("DATA_LOCKED", `${path} is used by process ${pidIn(holder)}`, { cause: error });
    }
    throw new MarsadError("DATA_UNUSABLE", `${path} cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
  notePid(holder);
  const connection = database;
  held.add(connection);
  return {
    [Symbol.dispose]() {
      if (held.delete(connection)) connection.close();
    },
  };
}

/** Is there a program that has locked folder `path`? Not for one that this process has locked itself. */
export function isLocked(path: string): boolean {
  if (!existsSync(join(path, "lock"))) return false;
  const database = new DatabaseSync(join(path, "lock"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
    return false;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === sqliteBusy) return true;
    throw error;
  } finally {
    database.close();
  }
}

/** `lockFolder` for a program's opening sequence. */
export async function openDataLock(path: string): Promise<Disposable> {
  return lockFolder(path);
}

function notePid(file: string): void {
  try {
    writeFileSync(file, `${process.pid}\n`, { mode: 0o600 });
  } catch {
    // A full disk: the lock holds, only another's message is poorer.
  }
}

function pidIn(file: string): string {
  try {
    return readFileSync(file, "utf8").trim() || "(unknown)";
  } catch {
    return "(unknown)";
  }
}
