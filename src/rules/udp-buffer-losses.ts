/** What PKT0405 finds lost of a namespace's datagrams, of which kind, and what is named as the cause. */
import { refusedUncounted } from '../facts/datagrams.ts';
import { gradeLoss, type LossLimits } from '../facts/loss.ts';
import type { Fate, MemoryRefused } from '../facts/readers.ts';
import { addUp, type Signal } from '../facts/signal.ts';
import type { Instance } from './rule.ts';
import type { UdpReadings } from './udp-buffer-signals.ts';

/** The receive buffer of a socket was full, memory was refused, or a datagram could not be sent. */
type Kind = 'full' | 'memory' | 'unsent';

interface DatagramLoss {
  readonly kind: Kind;
  readonly count: number;
  readonly perSecond: Pick<Signal, 'value'> | undefined;
  readonly share: number;
  readonly grade: 'none' | 'warning' | 'critical';
}

interface DatagramLosses {
  readonly full: number;
  readonly memory: number;
  /** What of `memory` no counter of UDP has; undefined where they have it all. */
  readonly uncounted: number | undefined;
  readonly unsent: number;
  /** Want of memory is known by the level alone. */
  readonly byLevel: boolean;
  /** Packets dropped behind the sender. */
  readonly behind: number;
  /** Those that matter, the most first. */
  readonly material: readonly DatagramLoss[];
  readonly worst: DatagramLoss | undefined;
}

interface UdpLossLimits extends LossLimits {
  readonly perSecond: number;
  readonly behind: number;
}

export function lossesIn(read: UdpReadings, limits: UdpLossLimits, at: Instance): DatagramLosses {
  const full = read.overflowed?.value ?? 0;
  const counted = read.refused?.value ?? 0;
  const uncounted = refusedUncounted(counted, read.noMemory);
  const memory = uncounted ?? counted;
  const taken = memory + full + addUp(read.delivered, read.delivered6);
  const unsent = read.notSent?.value ?? 0;
  const byLevel = read.memory === undefined && (read.byLevel?.value ?? 0) > 0;
  const behind = read.behind?.value ?? 0;
  const kinds = [
    { kind: 'full', count: full, part: read.overflowedShare, perSecond: read.overflowedPerSecond },
    {
      kind: 'memory',
      count: memory,
      part: uncounted === undefined ? read.refusedShare : { value: memory / Math.max(1, taken) },
      perSecond: uncounted === undefined ? read.refusedPerSecond : { value: memory / at.seconds },
    },
    { kind: 'unsent', count: unsent, part: read.notSentShare, perSecond: undefined },
  ] as const;
  const noted = kinds
    .filter(({ count }) => count > 0)
    .map(({ part, ...each }) => ({ ...each, share: part?.value ?? 0, grade: gradeLoss(each.count, part, limits) }))
    .sort((a, b) => b.count - a.count);
  const material = noted.filter(({ kind, perSecond, grade }) =>
    kind === 'unsent'
      ? grade !== 'none' && (read.behindShare?.value ?? 0) >= limits.behind
      : grade !== 'none' || (perSecond?.value ?? 0) >= limits.perSecond,
  );
  // What was put off is no loss, and is told where there is no other.
  const worst = material[0] ?? noted.find(({ kind }) => kind !== 'unsent') ?? noted[0];
  return { full, memory, uncounted, unsent, byLevel, behind, material, worst };
}

interface Circumstances {
  readonly kind: Kind;
  readonly sentOn: 'unsent-device' | 'unsent-queue' | 'refused';
  readonly byLevel: boolean;
  readonly group: MemoryRefused | undefined;
  readonly flooded: boolean;
  readonly fate: Fate | undefined;
  /** The socket that lost most is known. */
  readonly found: boolean;
  /** Sockets could be listed. */
  readonly listed: boolean;
  /** With what each of them dropped. */
  readonly told: boolean;
  /** Those that sockets dropped are a small part of what was lost. */
  readonly few: boolean;
  /** Sockets dropped datagrams, whose ever these were. */
  readonly several: boolean;
}

/** The message that says why. */
export function causeOf({
  kind,
  sentOn,
  byLevel,
  group,
  flooded,
  fate,
  found,
  listed,
  told,
  few,
  several,
}: Circumstances) {
  if (kind === 'unsent') return sentOn;
  if (kind === 'memory') {
    if (group !== undefined) return group.times === undefined ? 'memory-group-full' : 'memory-group';
    return byLevel ? 'memory-level' : 'memory';
  }
  if (flooded) return fate === undefined ? 'flood-unknown' : fate === 'bursty' ? 'flood-bursts' : 'flood';
  if (found) return 'burst';
  if (!listed) return 'burst-unlisted';
  if (!told) return 'burst-untold';
  if (few) return 'burst-closed';
  return several ? 'burst-mixed' : 'burst-unknown';
}
