import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/**
 * What must hold before lmdb-js 3.5.6 opens folder `path`: where its `open` fails after it has taken its locks (not an
 * lmdb file, no room for header or lock file) it ends the process by a segmentation fault, and a data file shorter than
 * its header says ends it by SIGBUS at the first read.
 * @returns what is wrong with the file, undefined when nothing is.
 * @throws an error of the operating system: no permission, no room
 */
export function findCorruption(path: string): string | undefined {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const data = join(path, "data.mdb");
  const lock = join(path, "lock.mdb");
  for (const file of [path, data, lock]) {
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
  }
  const isNew = (statSync(data, { throwIfNoEntry: false })?.size ?? 0) === 0;
  if (isNew || !existsSync(lock)) probeRoom(path);
  return isNew ? undefined : checkHeader(data);
}

/** Room for the header pages and the lock file, which lmdb writes through a map. */
function probeRoom(path: string): void {
  const probe = join(path, `probe-${process.pid}`);
  const fd = openSync(probe, "w");
  try {
    const bytes = Buffer.alloc(64 * 1024);
    if (writeSync(fd, bytes) < bytes.length) throw new Error("no space left on device");
    fsyncSync(fd);
  } finally {
    closeSync(fd);
    rmSync(probe, { force: true });
  }
}

/** Where MDB_page and MDB_meta of lmdb-js' mdb.c have what is needed here. */
const at = {
  flags: 18,
  magic: 24,
  version: 28,
  pageSize: 48,
  lastPage: 144,
  transaction: 152,
  end: 160,
} as const;
const metaFlag = 0x08;
const magic = 0xbe_ef_c0_de;
const dataVersion = 2;

/** Pages at the end that were taken and given back in one transaction are not written: so many may be missing. */
const unwrittenPages = 64;

function checkHeader(file: string): string | undefined {
  const fd = openSync(file, "r+");
  try {
    const first = readHeader(fd, 0);
    if (!isMeta(first)) return "it is not an lmdb file, or one of another version";
    const pageSize = first.getUint32(at.pageSize, true);
    const second = readHeader(fd, pageSize);
    if (!isMeta(second)) return "its second header page is missing or broken";
    const secondIsNewer =
      second.getBigUint64(at.transaction, true) > first.getBigUint64(at.transaction, true);
    const needed = (Number((secondIsNewer ? second : first).getBigUint64(at.lastPage, true)) + 1) * pageSize;
    // After the header: another process may be writing, and that one writes its pages first.
    const { size } = fstatSync(fd);
    if (size >= needed) return undefined;
    if (needed - size > unwrittenPages * pageSize) return `it lost its end: ${size} bytes of ${needed}`;
    ftruncateSync(fd, needed);
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function readHeader(fd: number, position: number): DataView {
  const bytes = Buffer.alloc(at.end);
  readSync(fd, bytes, 0, bytes.length, position);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function isMeta(page: DataView): boolean {
  return (
    (page.getUint16(at.flags, true) & metaFlag) !== 0 &&
    page.getUint32(at.magic, true) === magic &&
    page.getUint32(at.version, true) === dataVersion
  );
}
