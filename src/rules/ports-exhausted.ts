import { risen } from '../facts/sockets.ts';
import { netstat, sockstat, sysctl, tcpPortsTaken } from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { increase, peak, value } from '../metrics/expression.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, defineRule, info, ok, optionalList, warning } from './rule.ts';

/** Connections in TIME_WAIT from which their peers are told (sources/dumps/inet-diag.ts). */
const WAITING_COUNTED = 1000;

export const portsExhausted = defineRule({
  code: 'PKT0408',
  id: 'ports-exhausted',
  role: 'outcome',
  title: 'Local ports, or places for closed connections (TIME_WAIT), run out',
  scope: ['netns'],
  signals: {
    overflow: increase(netstat.member('TcpExt_TCPTimeWaitOverflow')),
    waiting: deciding(peak(sockstat.member('TCP_tw'))),
    used: deciding(peak(sockstat.member('TCP_inuse'))),
    taken: optionalList(peak(tcpPortsTaken)),
    ports: deciding(value(sysctl, { name: 'net.ipv4.ip_local_port_range' })),
  },
  thresholds: {
    overflow: {
      value: 10,
      unit: 'connections',
      help: 'Connections closed without their time of waiting in the window from which it is a warning; fewer are mentioned.',
      source: 'judgement: each may be answered by a reset where its last segments were lost',
    },
    usage: {
      value: 0.9,
      unit: 'ratio',
      help: 'Connections and waiting ones relative to the ports for outgoing connections from which they may run out.',
      source: 'judgement: inet_hash_connect.c tries every port, and gets slow long before the last',
    },
  },
  messages: {
    overflow:
      '{overflow:count} TCP connections were closed without waiting for stray segments (TIME_WAIT): net.ipv4.tcp_max_tw_buckets ' +
      'is reached. A peer whose last segments were lost gets a reset.',
    ports:
      '{used:count} connections and {waiting:count} that were closed a while ago (TIME_WAIT) share {ports:count} ports ' +
      'for outgoing connections. If most go to one address and port, the next ones fail with EADDRNOTAVAIL.',
    peer:
      'Connections from {address} to {peer} take {taken:count} of {ports:count} ports for outgoing connections: the next ones to it fail ' +
      'with EADDRNOTAVAIL.',
  },
  alert: {
    differs: { ports: 'how many ports there are is not on a server' },
    raise: ({ overflow }, limits) => ({
      warning: {
        when: where(overflow, '>=', limits.overflow),
        says: '{value} TCP connections were closed in {range} without waiting for stray segments.',
      },
    }),
  },
  conclude({ overflow, waiting, used, ports, taken }, limits, at) {
    const evidence = { overflow: ['>=', limits.overflow], waiting: null, used: null, ports: null } as const;
    if (overflow.value > 0) {
      const said = {
        certainty: 'measured',
        message: 'overflow',
        args: { overflow: overflow.value },
        evidence,
        remedies: [
          {
            action:
              'Let more connections wait, and let clients keep theirs open instead of making a new one for each request.',
            command: 'sysctl net.ipv4.tcp_max_tw_buckets',
            verify: inNetns(at.netns, 'nstat -az TcpExtTCPTimeWaitOverflow'),
          },
        ],
        impact: {},
      } as const;
      return overflow.value >= limits.overflow ? warning(said) : info(said);
    }
    if (ports === undefined) return ok();
    const closed = waiting?.value ?? 0;
    const all = closed + (used?.value ?? 0);
    const [most] = risen(taken);
    const toOne = most?.value ?? 0;
    const full = limits.usage * ports.value;
    // A port is taken for one peer only. Of few that wait it is not asked to whom they were.
    const spread = most !== undefined && toOne + (closed < WAITING_COUNTED ? closed : 0) < full;
    if (toOne < full && (all < full || spread)) return ok();
    const { address = '', peer = '' } = most?.labels ?? {};
    const [message, certainty] = toOne >= full ? (['peer', 'measured'] as const) : (['ports', 'possible'] as const);
    return warning({
      certainty,
      message,
      args: {
        used: used?.value ?? 0,
        waiting: closed,
        ports: ports.value,
        ...(message === 'peer' ? { taken: toOne, address, peer } : {}),
      },
      evidence: { ...evidence, taken: null },
      remedies: [
        {
          action:
            'See where they go. Keep connections open, or give more ports, more source addresses, or net.ipv4.tcp_tw_reuse=1.',
          command: inNetns(
            at.netns,
            "ss -Htan | awk '{print $5}' | sort | uniq -c | sort -rn | head; sysctl net.ipv4.ip_local_port_range",
          ),
          verify: inNetns(at.netns, 'ss -s'),
        },
      ],
    });
  },
});
