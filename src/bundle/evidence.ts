import type { Collector } from '../collectors/collector.ts';
import type { Keep } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import type { Manifest } from './manifest.ts';

/** Something that can be judged again. */
export interface RecordedEvidence {
  /** A bundle of pktcost's own, two copies of /proc and /sys, or one. */
  readonly kind: 'bundle' | 'pair' | 'copy';
  /** File or folder name. */
  readonly name: string;
  /** Takes the samples again: one makes a window that is `single`. */
  readonly window: (collectors: readonly Collector[], keep?: Keep) => Window;
  readonly bundle: Bundle | null;
  /** What whoever reads the verdict should know of the evidence, one line each. */
  readonly notes: readonly string[];
}

export interface Bundle {
  readonly manifest: Manifest;
  /** report.json as it is, config.json and baseline.json parsed; undefined where the bundle has none. */
  readonly report: Uint8Array | undefined;
  readonly config: unknown;
  readonly baseline: unknown;
}
