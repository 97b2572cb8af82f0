/** What could not be read. */
import { receivePackets, transmitPackets } from '../../../src/metrics/catalogue/index.ts';
import { hookCell, kernelHooks } from '../../support/taps.ts';
import type { Case } from '../../support/window.ts';
import { probe, tcpdump, busy, calm, hot } from './cells.ts';

export const unreadCases: readonly Case[] = [
  {
    name: 'no socket detail: the hook itself counts, and what it takes is not known',
    cells: [...busy, hookCell('eth0', 'tpacket_rcv'), kernelHooks, ...hot],
    outcome: 'info',
    certainty: 'possible',
    args: { owners: '1 AF_PACKET hook whose sockets were not seen' },
  },
  {
    name: "a kernel module's hook is named by its function",
    cells: [...busy, hookCell('any', 'vendor_sniff'), kernelHooks, ...calm, ...probe(850, 2000, 100_000)],
    outcome: 'warning',
    args: { owners: 'kernel function vendor_sniff (no AF_PACKET socket)' },
    command: /kallsyms/,
  },
  {
    name: 'packet sockets and hooks unread: not measured, never ok',
    cells: [...busy, ...hot],
    failed: { packet: { path: '/proc/net/ptype', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /permission denied/,
  },
  {
    name: 'a device counter reset inside the window is no traffic',
    cells: [
      [receivePackets, { device: 'eth0' }, 5_000_000, 10],
      [transmitPackets, { device: 'eth0' }, 0, 0],
      ...tcpdump,
      kernelHooks,
      ...hot,
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
];
