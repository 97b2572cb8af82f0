import { receivePackets } from '../../src/metrics/catalogue/index.ts';
import { tapBroaderThanNeeded } from '../../src/rules/tap-broader-than-needed.ts';
import { ruleCases } from '../support/cases.ts';
import { ownerCell, socketCell } from '../support/taps.ts';
import type { Cell } from '../support/window.ts';

const busy: Cell = [receivePackets, { device: 'eth0' }, 0, 5000];
const quiet: Cell = [receivePackets, { device: 'eth0' }, 0, 4990];
const bare = { filter: 'none or eBPF', hook: 'packet_rcv', ring: 'none' };

ruleCases(tapBroaderThanNeeded, [
  {
    name: 'lldpd without a filter on a busy device',
    cells: [busy, socketCell(bare), ownerCell('1001', 'lldpd', '31')],
    outcome: 'warning',
    certainty: 'possible',
    args: { daemon: 'lldpd', pid: '31', device: 'eth0', ethertypes: '0x88cc', packets: 500 },
    command: /lldpcli/,
  },
  {
    name: 'the same on all devices sees all of their packets',
    cells: [busy, socketCell({ ...bare, device: 'any' }), ownerCell('1001', 'lldpd', '31')],
    outcome: 'warning',
    args: { device: 'every device', packets: 500 },
  },
  {
    name: 'on a quiet device it is a remark',
    cells: [quiet, socketCell(bare), ownerCell('1001', 'lldpd', '31')],
    outcome: 'info',
    message: 'quiet',
  },
  {
    name: 'dhclient with its filter is as it should be',
    cells: [busy, socketCell({ ...bare, filter: 'classic 11 instructions' }), ownerCell('1001', 'dhclient', '31')],
    outcome: 'ok',
  },
  {
    name: 'tcpdump wants every packet',
    cells: [busy, socketCell({}), ownerCell('1001', 'tcpdump', '31')],
    outcome: 'ok',
  },
  {
    name: 'a process nobody knows is not judged',
    cells: [busy, socketCell(bare), ownerCell('1001', 'mystery', '31')],
    outcome: 'ok',
  },
  {
    name: 'a filter that may not be looked at is not called missing, nor there',
    cells: [busy, socketCell({ ...bare, filter: 'hidden (needs CAP_NET_ADMIN)' }), ownerCell('1001', 'lldpd', '31')],
    outcome: 'not-measured',
    missing: /CAP_NET_ADMIN/,
  },
  {
    name: 'without root nobody knows whose socket it is',
    cells: [busy, socketCell({ ...bare, filter: 'hidden (needs CAP_NET_ADMIN)' })],
    outcome: 'not-measured',
    missing: /who holds/,
  },
  {
    name: 'a filter that is seen is an answer, whoever holds the socket',
    cells: [busy, socketCell({ ...bare, filter: 'classic 11 instructions' })],
    outcome: 'ok',
  },
  {
    name: 'a socket that is not running takes nothing',
    cells: [busy, socketCell({ ...bare, hook: 'none' }), ownerCell('1001', 'lldpd', '31')],
    outcome: 'ok',
  },
  {
    name: 'one ethertype is what it should ask for',
    cells: [busy, socketCell({ ...bare, protocol: '88cc' }), ownerCell('1001', 'lldpd', '31')],
    outcome: 'not-applicable',
  },
  {
    name: 'a device counter that was reset leaves the remark',
    cells: [[receivePackets, { device: 'eth0' }, 9000, 5], socketCell(bare), ownerCell('1001', 'lldpd', '31')],
    outcome: 'info',
  },
  {
    name: 'packet sockets unread',
    cells: [busy],
    failed: { packet: { path: '/proc/net/packet', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
]);
