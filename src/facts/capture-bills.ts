/** The whole bill of a capture: the path of received and of sent packets, its reader, and the memory of its ring. */
import { captureCpuSeconds, packetSocketRing, profileProcessSamples, socketOwner } from '../metrics/catalogue/index.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import type { PriceLimits } from './price.ts';
import { payersOf, type Payer } from './sent-taps.ts';
import { deviceKey } from './spans.ts';
import { receivedPastTaps, sentPastTaps } from './tapped.ts';
import { sentTapPrices, tapPrices, type SocketPrice } from './tap-prices.ts';

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
export const captureBills = once(
  (window: Window, limits: PriceLimits): ((inode: string, netns: string) => CaptureCost) => {
    const [received, sent] = [tapPrices(window, limits), sentTapPrices(window, limits)];
    const rings = new Map(window.value(packetSocketRing).map(({ labels, value }) => [labels['inode'], value]));
    const pids = new Map<string, string[]>();
    for (const { labels } of window.value(socketOwner)) {
      const inode = labels['inode'] ?? '';
      pids.set(inode, [...(pids.get(inode) ?? []), labels['pid'] ?? '']);
    }
    const readers = window.increase(captureCpuSeconds).cells;
    const payers = payersOf(
      window
        .increase(profileProcessSamples)
        .cells.filter(({ labels }) => labels['direction'] === 'transmit' && labels['part'] === 'tap-transmit')
        .map(({ labels, increase }) => ({ labels, value: increase })),
    );
    const cpuOf = (
      prices: readonly SocketPrice[],
      netns: string,
      perSecond: ReadonlyMap<string, number>,
    ): number | null => {
      const parts = prices.flatMap(({ device, nsPerPacket }) => {
        const rate = perSecond.get(deviceKey({ device, ...(netns === OWN_NETNS ? {} : { netns }) }));
        return rate === undefined ? [] : [(rate * nsPerPacket) / 1e9];
      });
      return parts.length === 0 ? null : parts.reduce((sum, part) => sum + part, 0);
    };
    const readerCpu = (inode: string, mode: string): number | null => {
      const own = readers.filter(
        ({ labels }) => labels['mode'] === mode && (pids.get(inode) ?? []).includes(labels['pid'] ?? ''),
      );
      return own.length === 0 ? null : own.reduce((sum, { increase, seconds }) => sum + increase / seconds, 0);
    };
    return (inode, netns) => {
      const transmitCpu = cpuOf(sent.get(inode) ?? [], netns, sentPastTaps(window));
      return {
        receiveCpu: cpuOf(received.get(inode) ?? [], netns, receivedPastTaps(window)),
        transmitCpu,
        readerUserCpu: readerCpu(inode, 'user'),
        readerSystemCpu: readerCpu(inode, 'system'),
        ringBytes: rings.get(inode) ?? null,
        payers: transmitCpu === null ? [] : payers,
      };
    };
  },
);
