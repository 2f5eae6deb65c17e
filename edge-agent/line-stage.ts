import type { BatchBuffer } from "./batch-buffer.ts";
import type { LineFilters } from "./filters/line-filters.ts";

/** Where an intake's lines go, and what they pass. */
export interface LineStage {
  readonly batch: BatchBuffer;
  /** Empties the batch when the next line does not fit; called with at least one line in it. */
  readonly seal: () => void;
  /** Shared by all inputs: a series may come by several. */
  readonly filters?: LineFilters;
  /** Milliseconds that the gateway's clock is ahead, where times of arrival are to be corrected by it. */
  readonly clockLead?: () => number;
}

/** Puts what the filters have to send into the batch. */
export function takeFiltered({ batch, seal, filters }: LineStage): void {
  const out = filters?.out;
  if (out === undefined || out.lines === 0) return;
  const { bytes } = out;
  for (let start = 0; start < out.length;) {
    const next = bytes.indexOf(0x0a, start) + 1;
    if (next - start > batch.room) seal();
    batch.append(bytes, start, next, 1);
    start = next;
  }
  out.clear();
}
