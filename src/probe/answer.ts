import type { Floor } from './floor.ts';
import type { ProbeReading } from './reading.ts';

/** What the reader's dump `probe_load` answers where no probe does. */
export interface ProbeLoad {
  readonly version: 1;
  /** The compiled objects are there. */
  readonly objects: boolean;
  /** Why they could not be loaded or attached; null where nobody tried. */
  readonly error: string | null;
}

/** What the reader's dump `probe` answers: plain JSON, the same live and from a bundle. */
export interface ProbeAnswer {
  readonly version: 1;
  /** Counts since the probe was attached. */
  readonly reading: ProbeReading;
  /** Counts since the first time it was asked: the window. */
  readonly window: ProbeReading;
  readonly floor: Floor | null;
  /** BTF: whether struct net keeps its own list of taps. */
  readonly tapsPerNetns: boolean;
  /** Inode of a namespace -> the name its series carry; '' is pktcost's own. */
  readonly netnsNames: Readonly<Record<string, string>>;
  /** Why the XDP span is not there although it was wanted. */
  readonly loadError: string | null;
}
