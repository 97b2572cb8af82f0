import type { Result } from '../base/result.ts';
import { asCount, decode, asList, asRecord, asText } from '../readings/decode.ts';

/** The receive ring of one device: frames it has room for, and can be given room for. */
export interface RingRow {
  readonly device: string;
  readonly frames: number;
  readonly most: number;
}

/** What the driver of one device counts, under one name, of frames that it lost; how, as metrics/nic-losses.ts has it. */
export interface RingLossRow {
  readonly device: string;
  readonly kind: string;
  readonly counter: string;
  readonly lost: number;
}

export interface RingLosses {
  readonly rows: readonly RingLossRow[];
  /** Devices of which it is not known, and why. */
  readonly untold: readonly { readonly device: string; readonly reason: string }[];
  /** Cards that were asked on a live host, with the driver as ethtool names it. */
  readonly cards?: readonly { readonly device: string; readonly driver: string }[];
}

export function decodeRingLosses(answer: unknown): Result<RingLosses> {
  return decode(() => {
    const { rows, untold, cards = [] } = asRecord(answer);
    return {
      rows: asList(rows, (row) => ({
        device: asText(row['device']),
        kind: asText(row['kind']),
        counter: asText(row['counter']),
        lost: asCount(row['lost']),
      })),
      untold: asList(untold, (row) => ({ device: asText(row['device']), reason: asText(row['reason']) })),
      cards: asList(cards, (row) => ({ device: asText(row['device']), driver: asText(row['driver']) })),
    };
  });
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
