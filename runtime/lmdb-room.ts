import { closeSync, fstatSync, openSync, writeSync } from "node:fs";

interface Touched {
  changes: number;
  inlineBytes: number;
  ownPages: number;
  removes: boolean;
}

/**
 * How many pages a transaction may write at worst, counted while it goes on. lmdb copies what it changes: each change
 * costs its leaf, the branch above and perhaps a split; values beyond half a page have pages of their own.
 */
export class TouchedPages {
  readonly #tables = new Map<string, Touched>();
  readonly #inRuns: ReadonlySet<string>;
  #freedPages = 0;

  /** @param inRuns  Tables whose keys are put and removed one next to the other, in at most two places, so that neighbours share their leaf. */
  constructor(inRuns: readonly string[]) {
    this.#inRuns = new Set(inRuns);
  }

  get none(): boolean {
    return this.#tables.size === 0;
  }

  put(table: string, valueBytes: number): void {
    const touched = this.#touched(table);
    touched.changes++;
    if (valueBytes > largestInline) touched.ownPages += pagesOfValue(valueBytes);
    else touched.inlineBytes += valueBytes + keyBytes;
  }

  remove(table: string, valueBytes: number): void {
    const touched = this.#touched(table);
    touched.changes++;
    touched.removes = true;
    if (valueBytes > largestInline) this.#freedPages += pagesOfValue(valueBytes);
    touched.inlineBytes += (valueBytes > largestInline ? 0 : valueBytes) + keyBytes;
  }

  /** @param treePages  Pages of a table's tree, before the transaction. */
  worst(treePages: (table: string) => number): number {
    let pages = pagesOfAnyCommit + 2 * Math.ceil((this.#freedPages * freedPageBytes) / pageBytes);
    for (const [table, { changes, inlineBytes, ownPages, removes }] of this.#tables) {
      const runs = removes ? runsOfRemoval : 1;
      const leaves = 2 * Math.ceil(inlineBytes / pageBytes) + 2 * runs * pagesOfPath;
      const scattered = changes * pagesOfChange;
      if (this.#inRuns.has(table)) pages += ownPages + leaves;
      else
        pages +=
          ownPages + Math.min(scattered, scattered > leaves ? 2 * treePages(table) + leaves : scattered);
    }
    return pages;
  }

  #touched(table: string): Touched {
    let touched = this.#tables.get(table);
    if (touched === undefined)
      this.#tables.set(table, (touched = { changes: 0, inlineBytes: 0, ownPages: 0, removes: false }));
    return touched;
  }
}

const pageBytes = 4096;
const pageHeaderBytes = 16;
const keyBytes = 40;
/** lmdb keeps a value on pages of its own when two would not fit on a page. */
const largestInline = 2000;
/** The table of tables, the list of free pages without what it holds, and some to spare. */
const pagesOfAnyCommit = 16;
const pagesOfChange = 3;
/** In the list of free pages. */
const freedPageBytes = 8;
/** Places that a removal changes, in a table of runs. */
export const runsOfRemoval = 2;
/** From a tree's root to a leaf. */
const pagesOfPath = 4;

function pagesOfValue(bytes: number): number {
  return Math.ceil((bytes + pageHeaderBytes) / pageBytes);
}

/** Bytes that a value of `bytes` takes in the file, with its key. */
export function bytesInFile(bytes: number): number {
  return (bytes > largestInline ? pagesOfValue(bytes) * pageBytes : bytes) + keyBytes;
}

/** Is a value that takes `cost` bytes in the file on pages of its own, not among others? */
export function hasOwnPages(cost: number): boolean {
  return cost > largestInline + keyBytes;
}

/** What the file grows by at a time, at least. */
const smallestStep = 64 * 1024;
const largestStep = 1024 * 1024;

/** The end of a data file, written ahead of lmdb with zeros. */
export class Tail {
  readonly #fd: number;

  constructor(file: string) {
    this.#fd = openSync(file, "r+");
  }

  /** Size of the file. */
  get bytes(): number {
    return fstatSync(this.#fd).size;
  }

  /** Lets the file be `bytes` long, or as long as the disk allows. @returns its size. */
  extend(bytes: number): number {
    let size = this.bytes;
    if (size >= bytes) return size;
    const step = Math.min(Math.max(smallestStep, Math.ceil(size / 8)), largestStep);
    const target = Math.ceil((bytes + step) / pageBytes) * pageBytes;
    const zeros = Buffer.alloc(Math.min(target - size, largestStep));
    try {
      while (size < target)
        size += writeSync(this.#fd, zeros, 0, Math.min(zeros.length, target - size), size);
    } catch {
      // No room, or a limit: what the caller has is what there is now.
    }
    return this.bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
