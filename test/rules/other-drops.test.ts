import { netstat, rawSocketDrops, skbDrops, socketOwner } from '../../src/metrics/catalogue/index.ts';
import { otherDrops } from '../../src/rules/other-drops.ts';
import { ruleCases } from '../support/cases.ts';
import { unread } from '../support/losses.ts';
import type { Cell } from '../support/window.ts';

const received: Cell = [netstat.member('Ip_InReceives'), {}, 0, 100_000];
const dropped = (packets: number, reason = 'NOT_SPECIFIED', location = 'raw_rcv'): Cell => [
  skbDrops,
  { reason, location, device: 'eth0' },
  1,
  1 + packets,
];

ruleCases(otherDrops, [
  {
    name: 'a raw socket without room, by the function',
    cells: [received, dropped(1000)],
    outcome: 'warning',
    certainty: 'measured',
    args: { lost: 1000, why: 'the raw socket refused it, or had no room', where: ', on eth0' },
    command: /kfree_skb/,
  },
  {
    name: 'a queue to user space without a reader',
    cells: [received, dropped(1000, 'NOT_SPECIFIED', 'nf_queue')],
    outcome: 'warning',
    args: { why: 'its NFQUEUE has no reader, or was full' },
    command: /nfnetlink_queue/,
  },
  { name: 'more than half of all', cells: [received, dropped(200_000)], outcome: 'critical' },
  { name: 'one is a remark', cells: [received, dropped(1)], outcome: 'info' },
  {
    name: 'what another rule speaks about',
    cells: [received, dropped(1000, 'UDP_CSUM')],
    ran: ['rawsockets'],
    outcome: 'ok',
  },
  { name: 'none', cells: [received], ran: ['drops', 'rawsockets'], outcome: 'ok' },
  {
    name: 'a raw socket that was full is named by its own count',
    cells: [
      received,
      [rawSocketDrops, { family: 'inet', protocol: '253', inode: '31' }, 5, 905],
      [socketOwner, { inode: '31', pid: '600', comm: 'ospfd' }, 1, 1],
    ],
    ran: ['drops'],
    outcome: 'warning',
    args: { lost: 900, why: 'the raw socket of ospfd (pid 600) for protocol 253 was full' },
  },
  {
    name: 'raw sockets that could not be read are not taken for none',
    cells: [received],
    ran: ['drops'],
    failed: { rawsockets: { path: '/proc/net/raw', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  unread(),
  {
    name: 'a reset inside the window',
    cells: [[netstat.member('Ip_InReceives'), {}, 1000, 5], dropped(50)],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
