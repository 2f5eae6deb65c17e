import { constants, type ZstdDecompress, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** The first bytes of a zstd frame (RFC 8878, 3.1.1). */
const magic = 0xfd2fb528;
/** Memory that a frame may ask for: a window of 8 MiB, what every decoder should grant (RFC 8878, 3.1.1.1.2). */
const maxWindowLog = 23;
/** Compresses as well as 3 on lines, for half the CPU. */
const level = 1;

/** One frame that says how long its content is. */
export function compress(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

export type Decompressed =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly tooLarge: boolean; readonly why: string };

/**
 * The content of one zstd frame, at most `maxBytes` of it: a frame that says it holds more is not looked at, one that says nothing is cut short
 * when it reaches the bound. What follows the frame is refused, not passed over.
 */
export function decompress(frame: Uint8Array, maxBytes: number): Decompressed {
  const declared = contentSize(frame);
  if (declared === "no-frame") return { ok: false, tooLarge: false, why: "is no zstd frame" };
  const tooLarge = { ok: false, tooLarge: true, why: `holds more than ${maxBytes} bytes` } as const;
  if (declared !== undefined && declared > BigInt(maxBytes)) return tooLarge;
  try {
    const { buffer, engine } = zstdDecompressSync(frame, {
      maxOutputLength: maxBytes,
      params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog },
      info: true,
    }) as unknown as { buffer: Buffer; engine: ZstdDecompress };
    if (engine.bytesWritten === frame.length) return { ok: true, bytes: buffer };
    return {
      ok: false,
      tooLarge: false,
      why: `has ${frame.length - engine.bytesWritten} bytes after its frame`,
    };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") return tooLarge;
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, tooLarge: false, why: `cannot be decompressed: ${why}` };
  }
}

/** What a frame's header says of its content, in bytes; undefined: nothing. */
function contentSize(frame: Uint8Array): bigint | undefined | "no-frame" {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (frame.length < 6 || view.getUint32(0, true) !== magic) return "no-frame";
  const descriptor = frame[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  const bytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  if (frame.length < at + bytes) return "no-frame";
  if (bytes === 0) return undefined;
  if (bytes === 1) return BigInt(frame[at]!);
  if (bytes === 2) return BigInt(view.getUint16(at, true) + 256);
  return bytes === 4 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true);
}
