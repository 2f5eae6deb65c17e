import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { MarsadError } from "#runtime/errors.ts";
import type { Gate } from "../gate.ts";
import type { Serial } from "../serial.ts";
import { isFatal } from "./errors.ts";
import { idOf } from "./partition.ts";
import {
  type Rewrite,
  type RewriteLimits,
  applyPending,
  begin,
  copyPiece,
  dropLeftovers,
  pendingRows,
  planPieces,
  swap,
} from "./rewrite.ts";
import { type Session, allPartitions } from "./session.ts";
import { UncertainCommit } from "./transaction.ts";

export interface RewriteStep {
  /**
   * `going`: ask again. `done`. `held`: not while the files are held. `disturbed`: given up, since the table changed too much; later.
   * `gone`: no such table.
   */
  readonly state: "going" | "done" | "held" | "disturbed" | "gone";
  /** That stand in series order now, in the table or its copy. */
  readonly rows: number;
}

/** So many rows are brought into the copy while the writer waits. */
const fewPending = 5_000;
/** … or more, when after so many times others have been written. */
const mostRounds = 4;
/** Less than any table takes: for a file whose rows are still in the log. */
const fewestBytesPerRow = 6;

/** Takes a rewrite from step to step; each is short, and the writer goes on meanwhile but for `begin` and `swap`. */
export class Rewriting {
  readonly #path: string;
  readonly #limits: RewriteLimits;
  readonly #writes: Serial;
  readonly #reads: Gate;
  #rounds = 0;
  #rows = 0;

  constructor(parts: { path: string; limits: RewriteLimits; writes: Serial; reads: Gate }) {
    this.#path = parts.path;
    this.#limits = parts.limits;
    this.#writes = parts.writes;
    this.#reads = parts.reads;
  }

  /** @param table  Its `idOf`. One at a time, and no checkpoint beside it. After an error everything is as before the rewrite. */
  async step(session: Session, table: string): Promise<RewriteStep> {
    try {
      const { rewrite } = session;
      if (rewrite !== undefined && idOf(rewrite.partition) === table)
        return await this.#goOn(session, rewrite);
      if (rewrite !== undefined) await this.abandon(session);
      return await this.#begin(session, table);
    } catch (error) {
      const disturbed = session.rewrite?.stale === true;
      if (!isFatal(error) && !(error instanceof UncertainCommit)) await this.abandon(session);
      if (disturbed && session.rewrite === undefined) return { state: "disturbed", rows: 0 };
      throw error;
    }
  }

  /** Gives up the rewrite under way, if there is one. Its tables are dropped now, or when there is room for doing so. */
  async abandon(session: Session): Promise<void> {
    await this.#writes.run(async () => {
      if (session.rewrite === undefined) return;
      session.rewrite = undefined;
      await dropLeftovers(session.database.writer).catch((error: unknown) => {
        if (isFatal(error)) throw error;
      });
    }, session.broken.signal);
  }

  async #begin(session: Session, table: string): Promise<RewriteStep> {
    const find = () => allPartitions(session).find((partition) => idOf(partition) === table);
    const found = find();
    if (found === undefined) return { state: "gone", rows: 0 };
    // First of all: what an earlier one left on a full disk takes the room that is asked for next.
    await this.#writes.run(() => dropLeftovers(session.database.writer), session.broken.signal);
    await this.#expectRoom(session, table, found.rows);
    const rewrite = await this.#writes.run(async () => {
      // Its layout as of now: the writer may just have changed it.
      return (session.rewrite = await begin(session.database.writer, find()!, this.#limits));
    }, session.broken.signal);
    this.#rounds = 0;
    this.#rows = 0;
    rewrite.pieces = await planPieces(session.database.builder, rewrite, this.#limits.pieceRows);
    return { state: "going", rows: 0 };
  }

  async #goOn(session: Session, rewrite: Rewrite): Promise<RewriteStep> {
    const { builder } = session.database;
    const waiting = await pendingRows(builder, rewrite);
    if (rewrite.stale) {
      await this.abandon(session);
      return { state: "disturbed", rows: 0 };
    }
    const pieces = rewrite.pieces ?? [];
    const piece = pieces[0];
    if (piece !== undefined) {
      const left = pieces.reduce((sum, { rows }) => sum + rows, 0);
      await this.#expectRoom(session, idOf(rewrite.partition), left);
      await copyPiece(builder, rewrite, piece);
      pieces.shift();
      this.#rows += piece.rows;
      return { state: "going", rows: this.#rows };
    }
    if (waiting > fewPending && this.#rounds < mostRounds) {
      this.#rounds += 1;
      await applyPending(builder, rewrite);
      return { state: "going", rows: this.#rows };
    }
    return await this.#swap(session, rewrite);
  }

  #swap(session: Session, rewrite: Rewrite): Promise<RewriteStep> {
    // In this order: a query may take long, and no write must wait for one.
    const { signal } = session.broken;
    const work = async (): Promise<RewriteStep> => {
      // Only here is it certain: it is the writer who finds out.
      if (rewrite.stale) throw new Error("the copy lacks what was written meanwhile");
      const rows = await swap(session.database.writer, rewrite, async (connection) => {
        try {
          await connection.run("COMMIT");
        } catch (error) {
          throw new UncertainCommit(error instanceof Error ? error.message : String(error), {
            cause: error,
          });
        }
      });
      session.sorted.set(idOf(rewrite.partition), rows);
      session.rewrite = undefined;
      return { state: "done", rows };
    };
    return this.#reads.alone(() => this.#writes.run(work, signal), signal);
  }

  async #expectRoom(session: Session, table: string, rows: number): Promise<void> {
    const size = await session.database.builder.runAndReadAll(
      "SELECT (used_blocks * block_size)::DOUBLE, (free_blocks * block_size)::DOUBLE FROM pragma_database_size()",
    );
    const [used, free] = size.getRowsJS()[0] as [number, number];
    const all = allPartitions(session).reduce((sum, partition) => sum + partition.rows, 1);
    const need = rows * Math.max(fewestBytesPerRow, used / all) + this.#limits.reserve_bytes;
    const disk = await statfs(dirname(this.#path));
    const room = free + disk.bavail * disk.bsize;
    if (room >= need) return;
    throw new MarsadError(
      "STORE_FULL",
      `${this.#path}: ${table} is not rewritten in series order; that needs ${mebibytes(need)} on the disk, and ${mebibytes(room)} are free`,
    );
  }
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
