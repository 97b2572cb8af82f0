import { listenerDrops as dropsOfListeners, netstat, sysctl } from '../metrics/catalogue/index.ts';
import { total, where } from '../metrics/condition.ts';
import { increase, subtract, value } from '../metrics/expression.ts';
import { endpoint, ownerOf, risen, holdersOfSockets } from '../facts/sockets.ts';
import { inNetns } from './remedies/shell.ts';
import { defineRule, info, ok, optional, optionalList, warning } from './rule.ts';
import { holder } from './said.ts';
import { shared } from './shared-limits.ts';

const dropped = increase(netstat.member('TcpExt_ListenDrops'));
const overflows = increase(netstat.member('TcpExt_ListenOverflows'));
const synQueue = increase(netstat.member('TcpExt_TCPReqQFullDrop'));

export const listenerDrops = defineRule({
  code: 'PKT0707',
  id: 'listener-drops',
  role: 'outcome',
  title: 'A listener drops connection attempts although its queue is not full',
  scope: ['netns'],
  signals: {
    // Contains the two below (tcp_input.c:tcp_conn_request, tcp_ipv4.c:tcp_v4_syn_recv_sock).
    dropped,
    overflows,
    synQueue,
    others: optional(subtract(dropped, total(overflows, synQueue))),
    synBacklog: optional(value(sysctl, { name: 'net.ipv4.tcp_max_syn_backlog' })),
    cookies: optional(value(sysctl, { name: 'net.ipv4.tcp_syncookies' })),
    drops: optionalList(increase(dropsOfListeners)),
    owners: optionalList(holdersOfSockets),
  },
  thresholds: {
    dropped: {
      value: shared.attemptsRepeated,
      unit: 'connections',
      help: 'Connection attempts dropped for other reasons than a full queue from which it is a warning; fewer are mentioned.',
      source: 'as PKT0401',
    },
  },
  messages: {
    dropped:
      '{others:count} connection attempts were dropped ({rate:rate}) although neither queue was full, by {listener} of {process}. ' +
      'That is the last quarter of net.ipv4.tcp_max_syn_backlog ({synBacklog}), kept for known peers where SYN cookies are off, no ' +
      'route back, no memory, or a security module.',
  },
  alert: {
    raise: ({ others }, limits) => ({
      warning: {
        when: where(others, '>=', limits.dropped),
        says: '{value} connection attempts were dropped in {range} although no queue was full.',
      },
    }),
  },
  conclude({ synBacklog, drops, owners, ...read }, limits, at) {
    const others = read.others?.value ?? 0;
    if (others <= 0) return ok();
    const socket = risen(drops)[0];
    const said = {
      certainty: 'measured',
      message: 'dropped',
      args: {
        others,
        rate: others / at.seconds,
        listener: socket === undefined ? 'an unknown listener' : endpoint(socket.labels),
        process: holder(ownerOf(socket?.labels['inode'], owners)),
        synBacklog: synBacklog?.value ?? 'not known',
      },
      evidence: {
        dropped: ['>=', limits.dropped],
        overflows: null,
        synQueue: null,
        synBacklog: null,
        cookies: null,
        drops: null,
      },
      remedies: [
        {
          action:
            'With SYN cookies off, turn them on or raise tcp_max_syn_backlog; else see whether there is a way back to the peers.',
          command: inNetns(
            at.netns,
            'sysctl net.ipv4.tcp_max_syn_backlog net.ipv4.tcp_syncookies; ss -Htan state syn-recv | wc -l',
          ),
          verify: inNetns(at.netns, 'nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtTCPReqQFullDrop'),
        },
      ],
      impact: { lostPerSecond: others / at.seconds },
    } as const;
    return others >= limits.dropped ? warning(said) : info(said);
  },
});
