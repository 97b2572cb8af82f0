import type { Result } from '../base/result.ts';
import { asCount, decode, asList, asText } from '../readings/decode.ts';

/** The receive ring of one device: frames it has room for, and can be given room for. */
export interface RingRow {
  readonly device: string;
  readonly frames: number;
  readonly most: number;
}

/** What the driver of one device counts, under one name, of frames that the receive ring had no room for. */
export interface RingLossRow {
  readonly device: string;
  readonly counter: string;
  readonly lost: number;
}

export function decodeRingLosses(answer: unknown): Result<readonly RingLossRow[]> {
  return decode(() =>
    asList(answer, (row) => ({
      device: asText(row['device']),
      counter: asText(row['counter']),
      lost: asCount(row['lost']),
    })),
  );
}

export function decodeRings(answer: unknown): Result<readonly RingRow[]> {
  return decode(() =>
    asList(answer, (row) => ({
      device: asText(row['device']),
      frames: asCount(row['frames']),
      most: asCount(row['most']),
    })),
  );
}
