import { netstat } from '../../src/metrics/catalogue/index.ts';
import { tcpRetransmission } from '../../src/rules/tcp-retransmission.ts';
import { ruleCases } from '../support/cases.ts';
import { unread } from '../support/losses.ts';
import type { Cell } from '../support/window.ts';

const tcp = (sent: number, again: number, handshakes = 0): Cell[] => [
  [netstat.member('TcpExt_TCPSynRetrans'), {}, 3, 3 + handshakes],
  [netstat.member('Tcp_OutSegs'), {}, 100, 100 + sent],
  [netstat.member('Tcp_RetransSegs'), {}, 7, 7 + again],
];

ruleCases(tcpRetransmission, [
  {
    name: 'three in a hundred are sent again',
    cells: [...tcp(10_000, 300), [netstat.member('TcpExt_TCPTimeouts'), {}, 0, 12]],
    outcome: 'warning',
    certainty: 'measured',
    args: { again: 300, share: 0.03, timeouts: 12 },
    command: /ss -tino/,
  },
  { name: 'one in ten is critical', cells: tcp(10_000, 1000), outcome: 'critical' },
  { name: 'just below one in a hundred is a remark', cells: tcp(10_000, 99), outcome: 'info', args: { again: 99 } },
  { name: 'nine of few are a remark', cells: tcp(20, 9), outcome: 'info' },
  { name: 'one of a million is a remark', cells: tcp(1_000_000, 1), outcome: 'info' },
  {
    name: 'SYN-ACKs that nobody answers are no loss',
    cells: tcp(1000, 570, 570),
    outcome: 'info',
    message: 'unanswered',
    args: { handshakes: 570 },
  },
  { name: 'data among them is told by itself', cells: tcp(10_000, 800, 500), outcome: 'warning', args: { again: 300 } },
  { name: 'none', cells: tcp(10_000, 0), outcome: 'ok' },
  unread(),
  {
    name: 'a reset inside the window',
    cells: [
      [netstat.member('TcpExt_TCPSynRetrans'), {}, 1, 1],
      [netstat.member('Tcp_OutSegs'), {}, 1000, 5],
      [netstat.member('Tcp_RetransSegs'), {}, 1000, 5],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
