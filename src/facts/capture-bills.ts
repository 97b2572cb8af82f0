/** The whole bill of a capture: the path of received and of sent packets, its reader, and the memory of its ring. */
import { captureCpuSeconds, packetSocketRing, profileProcessSamples } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import type { PriceLimits } from './price.ts';
import { holdersBySocket } from './sockets.ts';
import { payersOf, type Payer } from './sent-taps.ts';
import { receivedPastTaps, sentPastTaps } from './tapped.ts';
import type { PricedTaps } from './tap-price.ts';
import { receivedTaps, sentTaps } from './tap-prices.ts';

export interface CaptureCost {
  /** CPUs, that is CPU-seconds per second while the taps are there; null where that was not measured. */
  readonly receiveCpu: number | null;
  readonly transmitCpu: number | null;
  /** Of the processes that hold the socket, all that they do; null where they could not be seen. */
  readonly readerUserCpu: number | null;
  readonly readerSystemCpu: number | null;
  /** null where the socket has none, or that could not be read. */
  readonly ringBytes: number | null;
  /** Who pays on the way out, for all taps of the host together. */
  readonly payers: readonly Payer[];
}

/** By inode; of every socket that has an owner, a price or a ring. */
export const captureBills = once((window: Window, limits: PriceLimits): ((inode: string) => CaptureCost) => {
  const received = cpuBySocket(receivedTaps(window, limits).all, receivedPastTaps(window));
  const sent = cpuBySocket(sentTaps(window, limits).all, sentPastTaps(window));
  const rings = new Map(window.value(packetSocketRing).map(({ labels, value }) => [labels['inode'], value]));
  const holders = holdersBySocket(window);
  const spent = cpuByProcess(window);
  const payers = payersOf(
    window
      .increase(profileProcessSamples)
      .cells.filter(({ labels }) => labels['direction'] === 'transmit' && labels['part'] === 'tap-transmit')
      .map(({ labels, increase }) => ({ labels, value: increase })),
  );
  const readerCpu = (inode: string, mode: string): number | null => {
    const pids = [...new Set(holders.get(inode)?.map(({ pid }) => pid))];
    const own = pids.flatMap((pid) => spent.get(cpuKey(pid, mode)) ?? []);
    return own.length === 0 ? null : own.reduce((sum, each) => sum + each, 0);
  };
  return (inode) => {
    const transmitCpu = sent.get(inode) ?? null;
    return {
      receiveCpu: received.get(inode) ?? null,
      transmitCpu,
      readerUserCpu: readerCpu(inode, 'user'),
      readerSystemCpu: readerCpu(inode, 'system'),
      ringBytes: rings.get(inode) ?? null,
      payers: transmitCpu === null ? [] : payers,
    };
  };
});

const cpuKey = (pid: string | undefined, mode: string | undefined): string => `${pid ?? ''} ${mode ?? ''}`;

/** CPUs that each process took in each mode. */
function cpuByProcess(window: Window): ReadonlyMap<string, number> {
  const spent = new Map<string, number>();
  for (const { labels, increase, seconds } of window.increase(captureCpuSeconds).cells) {
    const key = cpuKey(labels['pid'], labels['mode']);
    spent.set(key, (spent.get(key) ?? 0) + increase / seconds);
  }
  return spent;
}

/** A packet of the device goes to one socket of a fanout group: its sockets share what the group takes. */
function cpuBySocket(
  devices: ReadonlyMap<string, PricedTaps>,
  perSecond: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const cpus = new Map<string, number>();
  for (const [key, { shares }] of devices) {
    const rate = perSecond.get(key);
    if (rate === undefined) continue;
    for (const { tap, nanoseconds } of shares) {
      if (tap.elsewhere) continue;
      const each = (rate * nanoseconds) / 1e9 / tap.inodes.length;
      for (const inode of tap.inodes) cpus.set(inode, (cpus.get(inode) ?? 0) + each);
    }
  }
  return cpus;
}
