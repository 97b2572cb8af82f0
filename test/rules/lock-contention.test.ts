import { profileStackSamples } from '../../src/metrics/catalogue/index.ts';
import { lockContention } from '../../src/rules/lock-contention.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const busy = pathCells({ lock: 6000, qdisc: 4000 }, { direction: 'transmit', packets: 50_000 });
const stack = (frames: string, samples: number, direction = 'transmit'): Cell => [
  profileStackSamples,
  { direction, stack: frames },
  0,
  samples,
];

ruleCases(lockContention, [
  {
    name: 'senders wait for the lock of one queue',
    cells: [
      ...busy,
      stack('__dev_queue_xmit;__dev_xmit_skb;_raw_spin_lock;native_queued_spin_lock_slowpath', 4000),
      stack('__dev_queue_xmit;tbf_dequeue', 500),
    ],
    outcome: 'critical',
    certainty: 'measured',
    args: { owners: '__dev_xmit_skb', way: 'sent packets' },
    command: /perf report/,
  },
  {
    name: 'who waits is not known',
    cells: busy,
    outcome: 'critical',
    args: { owners: 'functions that are unknown' },
  },
  {
    name: 'a third',
    cells: [...pathCells({ lock: 3000, udp: 7000 }), stack('udp_queue_rcv_one_skb;_raw_spin_lock', 2500, 'receive')],
    outcome: 'warning',
    args: { owners: 'udp_queue_rcv_one_skb' },
  },
  { name: 'locks that nobody else wants', cells: pathCells({ lock: 800, udp: 9200 }), outcome: 'ok' },
  { name: 'a cheap packet', cells: pathCells({ lock: 3000, udp: 5000 }, { packets: 900_000 }), outcome: 'ok' },
  ...pathLacking('lock'),
]);
