/** From where on PKT0102 calls a CPU short of time, and of what. */
import type { Signal } from '../facts/signal.ts';
import type { Limits, Thresholds } from './rule.ts';
import { shared } from './shared-limits.ts';

export const thresholds = {
  share: {
    value: 0.9,
    unit: 'ratio',
    help: 'Share of its time that a CPU spends in softirq, interrupts and NAPI threads from which it is saturated.',
    source: 'requirement: the level to call critical',
  },
  warningShare: {
    value: shared.shortOfTime,
    unit: 'ratio',
    help: 'The same share from which it is a warning.',
    source: 'requirement: the level to warn at',
  },
  packets: {
    value: 1000,
    unit: 'per second',
    help: 'Packets per second received on the CPU, or NET_RX runs beyond them, below which the time of NET_RX has to be measured for its softirq to be the network.',
    source: 'judgement: 700 µs a packet is beyond what most paths cost',
  },
  netRx: {
    value: 0.5,
    unit: 'ratio',
    help: 'Share of the softirq time of a CPU that NET_RX takes, as measured, from which it is the network however few its packets are.',
    source: 'judgement: most of it',
  },
  starvedShare: {
    value: 0.2,
    unit: 'ratio',
    help: 'The same share from which a CPU that is never idle and drops packets is short of time beside its programs.',
    source:
      'judgement: ksoftirqd is one task of many, beside four programs it gets a fifth; measured: 43 % beside three',
  },
  spare: {
    value: shared.spare,
    unit: 'ratio',
    help: 'Share of its time such a CPU may be idle.',
    source: 'as PKT0101',
  },
  loss: {
    value: shared.lossCritical,
    unit: 'ratio',
    help: 'Packets that the backlog of such a CPU drops relative to all that were queued to it.',
    source: 'the critical level of PKT0502: less may be a burst',
  },
} as const satisfies Thresholds;

/** The part of the time in softirq that NET_RX takes; NAPI threads, which are in `share`, are not in it. */
export function netRxShare(
  read: Readonly<Record<'softirq', Signal>> &
    Readonly<Record<'netRx' | 'receiving' | 'period' | 'sampled', Signal | undefined>>,
  share: number,
): number | undefined {
  const { softirq, netRx, receiving, period, sampled } = read;
  const threads = share - softirq.value;
  if (netRx !== undefined) return Math.min(1, (netRx.value / 1e9 + threads) / share);
  if (receiving === undefined || period === undefined || sampled === undefined || sampled.value <= 0) return undefined;
  return Math.min(1, (receiving.value * period.value) / sampled.value / share);
}

/**
 * Once softirq work is left to ksoftirqd it is a task among others (kernel/softirq.c:invoke_softirq), and programs on the
 * same CPU get as much of it: softirq then never reaches the share of a saturated CPU, however much waits.
 */
export function isStarved(
  read: Readonly<Record<'idle' | 'lossShare' | 'processed', Signal | undefined>>,
  share: number,
  limits: Limits<typeof thresholds>,
): boolean {
  const { idle, lossShare, processed } = read;
  if (idle === undefined || lossShare === undefined || processed === undefined) return false;
  return (
    share >= limits.starvedShare &&
    idle.value <= limits.spare &&
    processed.value >= limits.packets &&
    lossShare.value > 0 &&
    lossShare.value >= limits.loss
  );
}
