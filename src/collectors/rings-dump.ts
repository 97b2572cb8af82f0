import type { Result } from '../base/result.ts';
import { asCount, decode, asList, asRecord, asText, nullable } from '../readings/decode.ts';

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

export interface CardRow {
  readonly device: string;
  readonly ifindex: number;
  /** As ethtool names it. */
  readonly driver: string;
  /** Whether its driver told what it counts. */
  readonly counted: boolean;
  /** rx_missed_errors by rtnetlink, as /sys is of one namespace only; null where that did not tell. */
  readonly missed: number | null;
  /** Frames received, where only what the driver counts tells. */
  readonly packets: number | null;
}

export interface RingLosses {
  readonly rows: readonly RingLossRow[];
  /** Devices of which it is not known, and why. */
  readonly untold: readonly { readonly device: string; readonly reason: string }[];
  /** Cards that were asked on a live host. */
  readonly cards?: readonly CardRow[];
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
      cards: asList(cards, (row) => ({
        device: asText(row['device']),
        ifindex: asCount(row['ifindex'] ?? 0),
        driver: asText(row['driver']),
        counted: row['counted'] !== false,
        missed: nullable(row['missed'] ?? null, asCount),
        packets: nullable(row['packets'] ?? null, asCount),
      })),
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
