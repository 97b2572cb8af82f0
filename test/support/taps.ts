import { packetHooks, packetSocket, socketOwner } from '../../src/metrics/catalogue/index.ts';
import type { Labels } from '../../src/metrics/metric.ts';
import type { Cell } from './window.ts';

/** A packet socket as the collector shows it: by default tcpdump's, a ring on one device that takes everything. */
export function socketCell(labels: Labels): Cell {
  const all = {
    inode: '1001',
    device: 'eth0',
    ifindex: labels['device'] === 'any' ? '0' : '2',
    protocol: '0003',
    type: 'raw',
    hook: 'tpacket_rcv',
    filter: 'matches all',
    ring: 'v3 16x131072',
    fanout: 'none',
    uid: '0',
    promiscuous: '1',
    ...labels,
  };
  return [packetSocket, all, 1, 1];
}

export function ownerCell(inode: string, comm: string, pid: string): Cell {
  return [socketOwner, { inode, pid, comm }, 1, 1];
}

/** What every kernel lists. */
export const kernelHooks: Cell = [packetHooks, { protocol: '0800', device: 'any', function: 'ip_rcv' }, 1, 1];

export function hookCell(device: string, handler: string, count = 1): Cell {
  return [packetHooks, { protocol: 'ALL', device, function: handler }, count, count];
}
