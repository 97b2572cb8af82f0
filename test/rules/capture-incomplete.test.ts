import { packetRingDrops, packetRingsSeen, packetSocketDrops } from '../../src/metrics/catalogue/index.ts';
import { captureIncomplete } from '../../src/rules/capture-incomplete.ts';
import { ruleCases } from '../support/cases.ts';
import { ownerCell, socketCell } from '../support/taps.ts';
import type { Cell } from '../support/window.ts';

const queue = socketCell({ ring: 'none', hook: 'packet_rcv' });
const ring = socketCell({});
const owner = ownerCell('1001', 'tcpdump', '31');
const dropped = (count: number): Cell => [packetSocketDrops, { inode: '1001' }, 5, 5 + count];
const ringFull = (count: number): Cell => [packetRingDrops, { inode: '1001' }, 5, 5 + count];
const looked = (seen: 0 | 1): Cell => [packetRingsSeen, {}, seen, seen];

ruleCases(captureIncomplete, [
  {
    name: 'a socket whose buffer is full',
    cells: [queue, owner, dropped(700)],
    outcome: 'info',
    certainty: 'measured',
    message: 'queue',
    args: { process: 'tcpdump (pid 31)', device: 'eth0', lost: 700, rate: 70 },
    command: /ss -0/,
  },
  {
    name: 'a ring that is full',
    cells: [ring, owner, dropped(0), ringFull(1), looked(1)],
    outcome: 'info',
    message: 'ring',
    args: { process: 'tcpdump (pid 31)', lost: 1 },
  },
  {
    name: 'a ring that only the function of its hook tells of',
    cells: [socketCell({ ring: 'unknown' }), owner, ringFull(3), looked(1)],
    failed: { packet: { path: 'packet_diag', reason: 'the module is not loaded' } },
    outcome: 'info',
    message: 'ring',
  },
  {
    name: 'the same, read in time: what only other sockets count is not missed',
    cells: [socketCell({ ring: 'unknown' }), owner, ringFull(0), looked(1)],
    failed: { packet: { path: 'packet_diag', reason: 'the module is not loaded' } },
    outcome: 'ok',
  },
  {
    name: 'of a process that is not known, on every device',
    cells: [socketCell({ ring: 'none', device: 'any' }), dropped(1)],
    outcome: 'info',
    args: { process: 'an unknown process', device: 'every device' },
  },
  { name: 'a socket that is read in time', cells: [queue, owner, dropped(0)], outcome: 'ok' },
  { name: 'a ring that is read in time', cells: [ring, owner, dropped(0), ringFull(0), looked(1)], outcome: 'ok' },
  { name: 'a ring that no packet came to', cells: [ring, owner, dropped(0), looked(1)], outcome: 'ok' },
  {
    name: 'a ring that the probe did not look at',
    cells: [ring, owner, dropped(0), looked(0)],
    outcome: 'not-measured',
    missing: /only its owner can ask for/,
  },
  {
    name: 'sockets that could not be asked',
    cells: [queue, owner],
    failed: { packet: { path: 'packet_diag', reason: 'operation not permitted (EPERM)' } },
    outcome: 'not-measured',
    missing: /EPERM/,
  },
]);
