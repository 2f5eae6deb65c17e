/**
 * Gives the memory of a buffer back at once; it has no bytes afterwards, nor has any view of it. For what comes by the hundred MB a second:
 * left to the garbage collector, such buffers are few objects but much memory, which V8 answers with collections of the whole heap (a tenth of
 * the CPU of a thread that does little else, as the journal's).
 *
 * Does nothing to a view of a part: the rest may be somebody else's.
 */
export function release(bytes: ArrayBuffer | Uint8Array): void {
  const buffer = bytes instanceof ArrayBuffer ? bytes : bytes.buffer;
  if (buffer instanceof ArrayBuffer && !buffer.detached && bytes.byteLength === buffer.byteLength)
    buffer.transfer(0);
}
