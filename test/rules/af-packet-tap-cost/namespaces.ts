/** Devices and namespaces that a tap sees, or does not. */
import { kernelFeature, packetHooks, tapNanoseconds, unameInfo } from '../../../src/metrics/catalogue/index.ts';
import { kernelHooks, ownerCell, socketCell } from '../../support/taps.ts';
import type { Case } from '../../support/window.ts';
import { traffic, probe, tcpdump, busy, calm, hot } from './cells.ts';

export const namespacesCases: readonly Case[] = [
  {
    name: 'a tap on an idle device costs nothing',
    cells: [...traffic('eth0', 499), ...tcpdump, kernelHooks, ...hot],
    outcome: 'ok',
    message: 'idle',
  },
  {
    name: 'an unbound tap is on every device of its namespace',
    cells: [
      ...busy,
      socketCell({ device: 'any' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    command: /tcpdump -i eth0 -s 96/,
  },
  {
    name: 'a tap on another device of the same name in another namespace is none here',
    cells: [
      ...busy,
      socketCell({ netns: 'pod' }),
      kernelHooks,
      [packetHooks, { protocol: '0800', device: 'any', function: 'ip_rcv', netns: 'pod' }, 1, 1],
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'up to 6.12 an unbound tap in a pod is in the path of the host: not ruled out',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...hot,
    ],
    outcome: 'info',
    certainty: 'possible',
    args: { owners: 'tcpdump (pid 4242)' },
  },
  {
    name: 'nor is it cleared by a span at its floor, which contains it on such a kernel',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...calm,
      ...probe(155, 2000, 100_000),
    ],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
    args: { why: 'on this kernel every packet of the host passes them, so that no floor is without them' },
  },
  {
    name: 'an unbound tap is billed by its own price',
    cells: [
      ...busy,
      socketCell({ device: 'any' }),
      socketCell({ inode: '2002' }),
      [tapNanoseconds, { inode: '1001', device: 'any', certainty: 'measured' }, null, 400],
      [tapNanoseconds, { inode: '2002', device: 'eth0', certainty: 'measured' }, null, 200],
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    // The span says 700 ns, in which is what runs between them too.
    args: {
      ns: 600,
      bill:
        'no process found for socket 1001: 400 ns, every device, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'no process found for socket 2002: 200 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072',
    },
  },
  {
    name: 'priced on its own, a tap in a pod is added to what the span shows',
    cells: [
      ...busy,
      ...tcpdump,
      socketCell({ inode: '2002', device: 'any', netns: 'pod' }),
      ownerCell('2002', 'sniffer', '77'),
      [tapNanoseconds, { inode: '2002', device: 'any', certainty: 'measured', netns: 'pod' }, null, 60],
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    args: {
      ns: 760,
      bill:
        'tcpdump (pid 4242): 700 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'sniffer (pid 77): 60 ns, every device (from another namespace), tpacket_rcv, filter matches all, ring v3 16x131072',
    },
  },
  {
    name: 'without a price of its own the bill says that it is not in there',
    cells: [
      ...busy,
      ...tcpdump,
      socketCell({ inode: '2002', device: 'any', netns: 'pod' }),
      ownerCell('2002', 'sniffer', '77'),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    args: {
      ns: 700,
      bill:
        'tcpdump (pid 4242): 700 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'not priced: sniffer (pid 77), from another namespace',
    },
  },
  {
    name: 'whether it is in the path was not asked of the kernel: the price of a packet is not known, and it says so',
    cells: [
      ...busy,
      ...tcpdump,
      socketCell({ inode: '2002', device: 'any', netns: 'pod' }),
      ownerCell('2002', 'sniffer', '77'),
      [tapNanoseconds, { inode: '2002', device: 'any', certainty: 'measured', netns: 'pod' }, null, 60],
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
    args: {
      why: 'whether packets pass unbound taps of other namespaces is not known: neither the release of the kernel nor its BTF says',
    },
  },
  {
    name: 'where lists are kept by namespace it is not',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 1, 1],
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'nor on 6.18, when there is no BTF to ask',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      kernelHooks,
      [
        unameInfo,
        { sysname: 'Linux', release: '6.18.44', version: '', machine: 'x86_64', nodename: '', domainname: '' },
        1,
        1,
      ],
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
];
