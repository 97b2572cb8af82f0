import {
  deviceLinkSpeed,
  deviceLinkSpeedPossible,
  deviceLinkWidth,
  deviceLinkWidthPossible,
  deviceSpeed,
} from '../../src/metrics/catalogue/index.ts';
import { pcieLinkBelowPossible } from '../../src/rules/pcie-link-below-possible.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const eth0 = { device: 'eth0' };
const link = (width: number, possible: number, gt = 8, possibleGt = 8): Cell[] => [
  [deviceLinkWidth, eth0, width, width],
  [deviceLinkWidthPossible, eth0, possible, possible],
  [deviceLinkSpeed, eth0, gt * 1e9, gt * 1e9],
  [deviceLinkSpeedPossible, eth0, possibleGt * 1e9, possibleGt * 1e9],
];
const port = (gigabits: number): Cell => [deviceSpeed, eth0, (gigabits * 1e9) / 8, (gigabits * 1e9) / 8];

ruleCases(pcieLinkBelowPossible, [
  {
    name: 'x4 of x8 for a port of 40 Gbit/s: 31.5 Gbit/s is too little',
    cells: [...link(4, 8), port(40)],
    outcome: 'warning',
    message: 'narrow',
    args: { link: 3.938461538461538e9, port: 5e9 },
    command: /lspci -vv/,
  },
  {
    name: 'x4 of x8 for 25 Gbit/s still does',
    cells: [...link(4, 8), port(25)],
    outcome: 'info',
    message: 'narrowEnough',
  },
  { name: 'x4 of x8, port speed unknown', cells: link(4, 8), outcome: 'info', message: 'narrowUnknown' },
  {
    name: 'x8 in an x8 slot is no fault: not every NIC has 16 lanes',
    cells: [...link(8, 8), port(100)],
    outcome: 'ok',
  },
  {
    name: 'a lower speed may be an idle device',
    cells: link(8, 8, 2.5, 8),
    outcome: 'info',
    certainty: 'possible',
    message: 'slow',
  },
  { name: 'a VF does not know its link', cells: link(0, 8), outcome: 'not-applicable' },
  { name: 'unknown is -1', cells: link(-1, -1), outcome: 'not-applicable' },
  { name: 'a guest whose NIC has no PCIe link', cells: [], ran: ['pcidevice'], outcome: 'not-applicable' },
  {
    name: 'no PCI in sysfs',
    cells: [],
    failed: { pcidevice: { path: '/sys/bus/pci/devices', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'not-measured',
    missing: /ENOENT/,
  },
]);
