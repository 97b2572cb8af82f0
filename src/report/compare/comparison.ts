import type { CostPart, Report, Verdict } from '../../generated/report.ts';
import type { Change } from './noise.ts';
import type { FindingChanges, TapChanges } from './sets.ts';
import type { Shift } from './shift.ts';

/** One of the two reports. */
export interface Side {
  readonly source: string;
  readonly hostname: string | null;
  readonly kernel: string | null;
  readonly version: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly outcome: Verdict['outcome'];
  readonly headline: string;
}

/** A part of the cost of a packet, and how much of the whole difference it makes. */
export interface PartChange {
  readonly part: CostPart['part'];
  readonly beforeNs: number;
  readonly afterNs: number;
  readonly shareOfDifference: number | null;
}

export interface PlaceChanges {
  /** `eth0`, `eth0 in NAMESPACE`, `CPU 3`, or a span of a device. */
  readonly place: string;
  readonly figures: readonly Change[];
  /** Why nothing can be compared, or null. */
  readonly reason: string | null;
}

export interface SpanChanges extends PlaceChanges {
  /** How the whole distribution moved; null where one of the two has none. */
  readonly histogram: Shift | null;
}

/** What two windows differ in. */
export interface Comparison {
  readonly comparisonVersion: '1.0';
  readonly tool: Report['tool'];
  readonly headline: string;
  readonly before: Side;
  readonly after: Side;
  /** What makes the two hard to compare. */
  readonly caveats: readonly string[];
  readonly noise: { readonly confidence: 0.95; readonly leastShift: number; readonly method: string };
  readonly cost: readonly Change[];
  readonly parts: readonly PartChange[];
  /** Parts by the sampling profile, a place for each direction. */
  readonly profile: readonly PlaceChanges[];
  readonly devices: readonly PlaceChanges[];
  readonly spans: readonly SpanChanges[];
  readonly cpus: readonly PlaceChanges[];
  readonly taps: TapChanges;
  readonly findings: FindingChanges;
}

export interface Named {
  readonly source: string;
  readonly report: Report;
}
