import {
  deviceInfo,
  linkInfo,
  skbDrops,
  transmitDrop,
  transmitPackets,
  tunHolder,
} from '../../src/metrics/catalogue/index.ts';
import { transmitDrops } from '../../src/rules/transmit-drops.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const device = (sent: number, lost: number): Cell[] => [
  [transmitPackets, { device: 'tap0' }, 10, 10 + sent],
  [transmitDrop, { device: 'tap0' }, 5, 5 + lost],
];
const info = (kind: string): Cell => [
  deviceInfo,
  { device: 'tap0', ifindex: '4', driver: kind, kind, pci: '', master: '' },
  1,
  1,
];

const held = (tun: string, pid: string): Cell => [tunHolder, { tun, pid, comm: 'qemu-system-x86' }, 1, 1];

ruleCases(transmitDrops, [
  {
    name: 'a tap whose guest does not read',
    cells: [...device(99_000, 1000), info('tun')],
    outcome: 'warning',
    certainty: 'measured',
    message: 'tun',
    args: { device: 'tap0', lost: 1000, share: 0.01 },
    command: /ip -s -d link show dev tap0/,
  },
  {
    name: 'a tap whose reader is known, of whatever namespace it is',
    cells: [...device(99_000, 1000), info('tun'), held('tap0', '90'), held('tap1', '91')],
    outcome: 'warning',
    args: { reader: 'qemu-system-x86 (pid 90)' },
  },
  {
    name: 'two programs hold taps of that name, in different namespaces: neither is blamed',
    cells: [...device(99_000, 1000), info('tun'), held('tap0', '90'), held('tap0', '91')],
    outcome: 'warning',
    args: { reader: 'the program or the virtual machine' },
  },
  {
    name: 'a veth whose peer is down',
    cells: [...device(99_000, 1000), info('veth')],
    outcome: 'warning',
    message: 'veth',
  },
  {
    name: 'a veth of another namespace, of which rtnetlink tells',
    cells: [
      ...device(99_000, 1000).map(([metric, labels, ...values]): Cell => [
        metric,
        { ...labels, netns: 'pod' },
        ...values,
      ]),
      [linkInfo, { device: 'tap0', kind: 'veth', master: '', lower: '', netns: 'pod' }, 1, 1],
      info('tun'),
    ],
    outcome: 'warning',
    message: 'veth',
  },
  { name: 'some other device', cells: device(99_000, 1000), outcome: 'warning', message: 'lost' },
  {
    name: "the kernel's reason tells a tun where the kind is not known",
    cells: [
      ...device(99_000, 0),
      [skbDrops, { reason: 'FULL_RING', location: 'tun_net_xmit', device: 'tap0' }, 0, 1000],
    ],
    outcome: 'warning',
    message: 'tun',
    alertDiffers: 'reasons',
  },
  { name: 'half of all is critical', cells: device(1000, 1000), outcome: 'critical' },
  { name: 'one is a remark', cells: device(1000, 1), outcome: 'info' },
  { name: 'none', cells: device(1000, 0), ran: ['drops'], outcome: 'ok' },
  {
    name: 'unread',
    cells: [],
    failed: { netdev: { path: '/proc/net/dev', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'a reset inside the window',
    cells: [
      [transmitPackets, { device: 'tap0' }, 1000, 5],
      [transmitDrop, { device: 'tap0' }, 1000, 5],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
