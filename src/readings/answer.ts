import type { ProbeReading, TappedSending, TappedTime, TransmitWay } from './reading.ts';

/** What the stamps and programs themselves take, which is in every `taps` span. */
export interface Floor {
  readonly method: `measured-on:${string}` | 'calibrated' | 'shipped';
  readonly sampleEvery: number;
  readonly samples: number;
  readonly p50Ns: number;
  /** Mean of the samples up to p99: an interrupt in one of them is not part of the floor. */
  readonly avgNs: number;
  /** How far the floor under the host's real traffic may lie above or below. */
  readonly uncertaintyNs: number;
  readonly reason?: string;
}

/** Of one device's sent packets that came one way to the taps. */
export interface TransmitFloor {
  readonly netns: string;
  readonly ifindex: number;
  readonly way: TransmitWay;
  readonly floor: Floor;
}

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
  /** Of devices whose taps came or went in the window; not there in bundles of before 0.2. */
  readonly tapped?: readonly TappedTime[];
  /** Where sent packets are timed: the same of them, and the floors. */
  readonly tappedSending?: readonly TappedSending[];
  readonly transmitFloors?: readonly TransmitFloor[];
  /** BTF: whether struct net keeps its own list of taps. */
  readonly tapsPerNetns: boolean;
  /** Inode of a namespace -> the name its series carry; '' is pktcost's own. */
  readonly netnsNames: Readonly<Record<string, string>>;
  /** Why the XDP span is not there although it was wanted. */
  readonly loadError: string | null;
}
