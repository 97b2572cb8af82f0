import {
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackInsertFailed,
  netstat,
  qdiscDrops,
  receiveFifo,
  receiveMissed,
  receivePackets,
  softnetDropped,
  switchLost,
  transmitDrop,
} from '../metrics/catalogue/index.ts';
import { cardMessagesSinceBoot } from './card-losses.ts';
import type { Metric } from '../metrics/metric.ts';

/**
 * What one sample tells by a rule: levels as they stand, and what was counted since boot. When the losses came about is not
 * known, so they are never worse than a warning and never more than possible; what matters is their share.
 */
export interface OneSample {
  /** The counters of what is lost. */
  readonly counts: readonly Metric[];
  /** Counters of something else that is counted there as well. */
  readonly less?: readonly Metric[];
  /** From how many on they are not few though the rule finds nothing now, and its words. */
  readonly many?: readonly [from: number, words: string];
  /** What they count, in the plural. */
  readonly what: string;
  /** Of which it is a part, beside the counts themselves, where the rule does not tell the share. */
  readonly of?: readonly Metric[];
  /** A smaller share is not worth a warning, for rules whose own limits are rates. */
  readonly least?: number;
  /** What the whole that the rule takes the share of is bounded by, where that is counted in 32 bits. */
  readonly wraps?: Metric;
  /** Messages of the rule that are about counters, as they are said of totals. {since} is `since boot (1.2 days)`. */
  readonly words: Readonly<Record<string, string>>;
  /** Messages that are about a level, which one sample shows as well as two. */
  readonly levels?: readonly string[];
  /** Messages that the rule itself does not say of one sample, for another one tells what that shows. */
  readonly never?: readonly string[];
  /** What counts is hardware: it does not begin anew in the namespace that it was moved into. */
  readonly hardware?: true;
}

const tcp = (field: string): Metric => netstat.member(`TcpExt_${field}`);
const opened = [netstat.member('Tcp_PassiveOpens')];
const fullBuffer =
  '{lost:count} UDP datagrams ({share:percent}) were dropped {since} because the receive buffer of their socket was full';
const unsent = '{unsent:count} UDP datagrams ({share:percent}) could not be sent';
const segments = (count: string, why: string): string => `{${count}:count} segments{ofAll} were dropped {since} ${why}`;
const LOST_SINCE = '{lost:count} packets were lost {since}{ofAll}, {most:count} of them because {why}{where}{others}.';
const ring = '{device} lost {lost:count} frames in its receive ring {since}, {share:percent} of what arrived{besides}.';
const overflowed = '{attempts:count} connection attempts met a full accept queue {since}{ofThem}';

export const oneSample: Readonly<Record<string, OneSample>> = {
  PKT0201: {
    counts: [conntrackDrop],
    less: [conntrackInsertFailed],
    many: [10, '{total:count} {what} {since}; the table has room now.'],
    what: 'packets dropped for want of a conntrack entry',
    words: {
      dropping:
        'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}), and {lost:count} packets were ' +
        'dropped {since} for want of an entry.',
    },
  },
  PKT0202: {
    counts: [conntrackEarlyDrop],
    many: [
      10,
      '{total:count} {what} {since}, and packets of other flows were refused beside them: PKT0201 tells of those.',
    ],
    what: 'flows evicted from the conntrack table',
    words: {
      evicting:
        'The conntrack table was at its limit of {limit:count} entries: {evicted:count} flows were evicted {since} so that new ' +
        'ones fit. It holds {entries:count} now ({usage:percent}).',
      'evicting-uncounted':
        'The conntrack table was at its limit of {limit:count} entries: {evicted:count} flows were evicted {since} so that new ' +
        'ones fit. It holds {entries:count} now ({usage:percent}).',
      'evicting-most':
        'The conntrack table was at its limit of {limit:count} entries: {evicted:count} flows were evicted {since} so that new ' +
        'ones fit, and {refused:count} packets dropped. It holds {entries:count} now ({usage:percent}).',
      'near-full':
        'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}). Nothing was evicted or refused ' +
        '{since}; at the limit packets of new flows are dropped.',
    },
    levels: ['near-full-uncounted', 'filling', 'filling-uncounted'],
  },
  PKT0203: {
    counts: [conntrackInsertFailed],
    what: 'conntrack entries lost to clashes or long chains',
    least: Infinity,
    words: {
      clashes: '{clashes:count} packets lost their conntrack entry to another packet of the same flow or port {since}.',
      chains: '{chains:count} packets of new flows were dropped {since} because their hash chain was too long.',
      'resolved-or-not':
        '{clashes:count} conntrack entries met another one of the same flow {since}; this kernel counts resolved clashes, which ' +
        'lose nothing, together with the others.',
      'beside-full':
        '{clashes:count} conntrack entries were lost to clashes {since}, and {chains:count} to long chains.',
      refused:
        '{refused:count} packets that did not clash were dropped by connection tracking {since}: the table was full for a while, ' +
        'there was no memory for an entry, or the tracker of their protocol refused them.',
    },
  },
  PKT0401: {
    counts: [tcp('ListenOverflows')],
    what: 'connection attempts on a full accept queue',
    of: opened,
    least: 0.001,
    words: {
      backlog: `${overflowed}. The queue of {listener}, held by {process}, has room for {limit:count}.`,
      somaxconn: `${overflowed}. The queue of {listener}, held by {process}, has room for {limit:count}.`,
      listener: `${overflowed}, in all likelihood that of {listener}, held by {process}.`,
      'listener-several': `${overflowed}.`,
      'listener-closed': `${overflowed}.`,
      'listener-untold': `${overflowed}. Which listener is unknown: what each of them dropped was not told.`,
      'listener-unread': `${overflowed}. Which listener is unknown: they could not be listed.`,
    },
    levels: ['full-now'],
  },
  PKT0402: {
    counts: [tcp('TCPReqQFullDrop')],
    what: 'connection attempts dropped at a full SYN queue',
    of: opened,
    least: 0.001,
    words: {
      dropped: '{dropped:count} connection attempts were dropped {since}{ofThem} because a SYN queue was full.',
      'dropped-unknown':
        '{dropped:count} connection attempts were dropped {since}{ofThem} because a SYN queue was full.',
      cookies:
        '{cookies:count} connection attempts were answered with a SYN cookie {since} because a SYN queue was full: a flood, or ' +
        'bursts of clients. Nothing was dropped.',
      'cookies-or-always':
        '{cookies:count} connection attempts were answered with a SYN cookie {since}. Whether because a SYN queue was full is ' +
        'unknown: net.ipv4.tcp_syncookies could not be read, and with 2 every request counts.',
    },
  },
  PKT0403: {
    counts: ['TCPRcvQDrop', 'RcvPruned', 'OfoPruned', 'TCPBacklogDrop'].map(tcp),
    what: 'segments dropped for want of room in a socket',
    words: {
      refused: segments('refused', 'because the receive memory of their socket could not be charged.'),
      pruned: segments('pruned', 'because pruning the receive queue made no room.'),
      'out-of-order':
        '{outOfOrder:count} times segments that arrived out of order were thrown away {since} for want of memory.',
      backlog: segments('backlog', 'because the backlog of their socket was full.'),
    },
  },
  PKT0404: {
    counts: [tcp('TCPAbortOnMemory')],
    what: 'connections killed for want of TCP memory or for too many orphans',
    of: [...opened, netstat.member('Tcp_ActiveOpens')],
    least: 0.001,
    words: {
      aborted:
        '{aborted:count} connections were killed {since}{ofThem} for want of TCP memory or for too many orphans.',
      passing:
        '{aborted:count} connections were killed {since}{ofThem} for want of TCP memory or for too many orphans.',
      orphans:
        '{aborted:count} connections were killed {since}{ofThem}, and there are {orphans:count} orphans of at most ' +
        '{maxOrphans:count} (tcp_max_orphans).',
      entered: 'TCP went into memory pressure {entered:count} times {since}; now it holds {memory:count} pages.',
    },
    levels: ['exhausted', 'pressure', 'orphans-now'],
  },
  PKT0405: {
    counts: ['Udp', 'Udp6'].flatMap((udp) =>
      ['RcvbufErrors', 'MemErrors'].map((name) => netstat.member(`${udp}_${name}`)),
    ),
    what: 'UDP datagrams dropped at a full socket or for want of memory',
    words: {
      burst: `${fullBuffer}; the socket that dropped most is {socket} of {process}.`,
      'burst-unknown': `${fullBuffer}. No socket that is open now dropped any.`,
      'burst-closed': `${fullBuffer}. Which socket is unknown: those that are open now dropped a small part of them.`,
      'burst-untold': `${fullBuffer}. Which socket is unknown: what each of them dropped was not told.`,
      'burst-unlisted': `${fullBuffer}. Which socket is unknown: they could not be listed.`,
      // How the threads spend their time takes two samples.
      flood: `${fullBuffer}{dropper}.`,
      'flood-bursts': `${fullBuffer}{dropper}.`,
      'flood-unknown': `${fullBuffer}{dropper}.`,
      memory:
        '{memory:count} UDP datagrams ({share:percent}) were dropped {since} because udp_mem or the limit of a cgroup was reached.',
      'memory-level':
        '{memory:count} UDP datagrams ({share:percent}) were dropped {since} and neither a full buffer nor a wrong checksum is ' +
        'why; the memory of all UDP sockets is at its limit ({pages:count} of {most:count} pages, udp_mem).',
      'burst-mixed': `${fullBuffer}. Whose cannot be told: {sockets:count} sockets dropped more than that, and filters turned some of it away.`,
      'memory-group':
        '{memory:count} UDP datagrams ({share:percent}) were dropped {since} for want of memory, and {unit} was refused some {times:count} times.',
      'memory-group-full':
        '{memory:count} UDP datagrams ({share:percent}) were dropped {since} for want of memory, and the sockets of {unit}, the group of ' +
        '{holder}, have all the memory that they may have.',
      'unsent-device': `${unsent} {since}, and {device} dropped {behind:count} packets that it was given.`,
      'unsent-queue': `${unsent} {since}, and {behind:count} packets were dropped behind their sockets ({reason}{device}).`,
      refused: `${unsent} at once {since}: their programs were told (EAGAIN or ENOBUFS) and still have them.`,
      unexplained: '{rest:count} UDP datagrams ({share:percent}) were not delivered {since}; {ruledOut}. {left}.',
      sockets:
        'Sockets dropped {lost:count} UDP datagrams since they were made: {which}. Whether their buffers were full or their filters ' +
        'turned them away, and of how many that is, was not counted.',
    },
    levels: ['memory-full'],
  },
  PKT0501: {
    counts: [receiveMissed, receiveFifo],
    hardware: true,
    what: 'frames that a NIC had no room for',
    words: {
      ring,
      slow: ring,
      starved: ring,
      unplaced: ring,
      own:
        '{device}{of} lost {lost:count} frames in its receive ring {since}, {share:percent} of what arrived. Its driver counts them ' +
        'as {counter} (ethtool -S){guessed}{besides}.',
      ...cardMessagesSinceBoot,
      dropped:
        '{device}{of} dropped {lost:count} frames {since}, {share:percent} of what arrived. This driver counts in rx_dropped what its ' +
        'receive ring had no room for{beside}{besides}.',
    },
  },
  PKT0502: {
    counts: [softnetDropped],
    what: 'packets dropped at a full backlog',
    wraps: receivePackets,
    least: 0.0001,
    words: {
      full: 'The backlog of CPU {cpu} dropped {lost:count} packets {since}, {share:percent} of those that the CPU was given.',
      flow: 'The flow limit of the backlog of CPU {cpu} dropped {limited:count} of {lost:count} lost packets {since}, {share:percent} of those that the CPU was given.',
      squeezed:
        'On CPU {cpu} {squeezes:count} softirq runs, {squeezeShare:percent} of all, ended {since} with packets left to receive (budget ' +
        '{budget} packets or {usecs} µs). Nothing was dropped by that.',
    },
  },
  PKT0407: {
    counts: [netstat.member('Tcp_RetransSegs')],
    what: 'TCP segments sent again',
    // Every path loses some; over days one in twenty is a path that does not work.
    least: 0.05,
    words: {
      lost:
        '{again:count} TCP segments were sent again {since}, {share:percent} of those sent{inBrackets}. They were lost ' +
        'on the way or in this host.',
      unanswered: '{handshakes:count} SYNs or SYN-ACKs were sent again {since} because nobody answered.',
    },
  },
  PKT0408: {
    counts: [tcp('TCPTimeWaitOverflow')],
    what: 'connections closed without waiting for stray segments',
    least: Infinity,
    words: {
      overflow:
        '{overflow:count} TCP connections were closed {since} without waiting for stray segments: tcp_max_tw_buckets was reached.',
    },
    levels: ['ports', 'peer'],
  },
  PKT0409: {
    counts: ['Udp', 'Udp6', 'Tcp', 'IpExt', 'Icmp', 'Icmp6'].map((group) => netstat.member(`${group}_InCsumErrors`)),
    what: 'packets with a wrong checksum',
    words: { lost: LOST_SINCE },
  },
  PKT0503: {
    counts: [qdiscDrops],
    what: 'packets dropped by a queueing discipline',
    words: {
      lost:
        '{kind} on {device} dropped {lost:count} packets that were to be sent {since}, {share:percent} of those it was given. No ' +
        'counter of the device has them.',
    },
  },
  PKT0504: {
    counts: [transmitDrop],
    what: 'packets dropped by a device that was to send them',
    words: Object.fromEntries(
      ['tun', 'veth', 'lost'].map((message) => [
        message,
        '{device} dropped {lost:count} packets that were to be sent {since}, {share:percent} of all.',
      ]),
    ),
  },
  PKT0505: {
    counts: [switchLost],
    what: 'packets lost on their way to ovs-vswitchd',
    least: 0.001,
    words: {
      upcalls:
        'The datapath {datapath} of Open vSwitch lost {lost:count} packets on their way to ovs-vswitchd since it was made, ' +
        '{share:percent} of those that no flow was there for.',
    },
  },
  // Over days a part of what arrives is always stray; one in twenty is a way that does not work.
  PKT0701: { counts: [], what: '', least: 0.05, words: { lost: LOST_SINCE } },
  // The statistics are the whole host's, what was sent is this namespace's: no share that could be said, but a size.
  PKT0702: {
    counts: [],
    what: '',
    least: 0.05,
    words: { lost: LOST_SINCE.replace('{ofAll}', '') },
    levels: ['full-now'],
  },
  PKT0703: { counts: [], what: '', least: 0.05, words: { lost: LOST_SINCE } },
  PKT0705: { counts: [], what: '', least: 0.001, words: { lost: LOST_SINCE } },
  PKT0706: {
    counts: [],
    what: '',
    least: Infinity,
    words: { lost: 'IPsec dropped {lost:count} packets {since}, {most:count} of them for {error}.' },
  },
  PKT0707: {
    counts: [],
    what: '',
    least: Infinity,
    words: { dropped: '{others:count} connection attempts were dropped {since} although neither queue was full.' },
  },
  PKT0603: { counts: [], what: '', words: {}, levels: ['configured', 'extensible', 'exhausted'] },
  PKT0604: { counts: [], what: '', words: {}, levels: ['averages'], never: ['pressing'] },
};
