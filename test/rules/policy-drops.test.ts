import { deviceProgram, netstat, skbDrops, xdpDropped } from '../../src/metrics/catalogue/index.ts';
import { policyDrops } from '../../src/rules/policy-drops.ts';
import { ruleCases } from '../support/cases.ts';
import { unread } from '../support/losses.ts';
import type { Cell } from '../support/window.ts';

const received: Cell = [netstat.member('Ip_InReceives'), {}, 0, 100_000];
const dropped = (reason: string, packets: number, location = 'f', device = 'eth0'): Cell => [
  skbDrops,
  { reason, location, device },
  1,
  1 + packets,
];

const inDriver = (device: string, packets: number): Cell[] =>
  ['rx_xdp_drop', 'rxN_xdp_drop'].map((counter) => [xdpDropped, { device, counter }, 3, 3 + packets]);

const program = (mode: string): Cell => [
  deviceProgram,
  { device: 'eth1', hook: `xdp ${mode}`, program_id: '7', kind: 'xdp', mode, side: '', qdisc: '', parent: '' },
  1,
  1,
];

ruleCases(policyDrops, [
  {
    name: 'nftables drops, and ports are closed',
    cells: [received, dropped('NETFILTER_DROP', 5000, 'nft_do_chain'), dropped('NO_SOCKET', 40)],
    outcome: 'info',
    certainty: 'measured',
    message: 'policy',
    args: { dropped: 5040, most: 5000, where: ', on eth0', others: '; 40 because nobody listens on the port' },
    command: /nft list ruleset/,
  },
  {
    name: 'without reasons the function stands for one',
    cells: [received, dropped('', 5000, 'nf_hook_slow')],
    outcome: 'info',
    args: { why: 'a netfilter rule (nftables, iptables, conntrack) dropped it' },
  },
  {
    name: 'both rates are of the same window, whatever it took to read the packets',
    cells: [[netstat.member('Ip_InReceives'), {}, 0, 30_000], dropped('NETFILTER_DROP', 20_000)],
    readAfter: { netstat: 15 },
    outcome: 'info',
    args: { rate: 2000, received: 2000 },
  },
  {
    name: 'a program in the driver drops, which counts that for its queues and for all of them, and is the only one to know',
    cells: [received, dropped('NO_SOCKET', 40), ...inDriver('eth1', 7000), ...inDriver('veth0', 20)],
    outcome: 'info',
    args: {
      dropped: 7060,
      rate: 706,
      most: 7000,
      why: 'an XDP program dropped it in the driver',
      where: ', on eth1',
    },
    command: /bpftool net; ethtool -S eth1/,
  },
  {
    name: 'what veth had as packets before its program dropped them is told by both, and counted once',
    cells: [received, dropped('NOT_SPECIFIED', 6900, 'veth_xdp_rcv_skb', 'veth0'), ...inDriver('veth0', 7000)],
    outcome: 'info',
    args: { dropped: 6900, rate: 690, why: 'an XDP program dropped it in the driver', where: ', on veth0', others: '' },
  },
  {
    name: 'what a program in the driver dropped could not be read, and there is one',
    cells: [received, dropped('NO_SOCKET', 9), program('native')],
    failed: { nics: { path: 'ring_losses', reason: 'operation not permitted (EPERM)' } },
    outcome: 'not-measured',
    missing: /EPERM/,
  },
  {
    name: 'it could not be read, and no program is in any driver',
    cells: [received, dropped('NO_SOCKET', 9), program('generic')],
    failed: { nics: { path: 'ring_losses', reason: 'operation not permitted (EPERM)' } },
    outcome: 'ok',
  },
  { name: 'nine are in the table only', cells: [received, dropped('NO_SOCKET', 9)], ran: ['nics'], outcome: 'ok' },
  { name: 'a loss is no policy', cells: [received, dropped('SOCKET_RCVBUFF', 5000)], ran: ['nics'], outcome: 'ok' },
  { name: 'noise is none either', cells: [received, dropped('QUEUE_PURGE', 5000)], ran: ['nics'], outcome: 'ok' },
  unread(),
  {
    name: 'drops were not counted',
    cells: [received],
    failed: { drops: { path: 'drops', reason: 'attaching eBPF programs needs root' } },
    outcome: 'not-measured',
    missing: /root/,
  },
  {
    name: 'a reset inside the window',
    cells: [[netstat.member('Ip_InReceives'), {}, 1000, 5], dropped('NO_SOCKET', 50)],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
