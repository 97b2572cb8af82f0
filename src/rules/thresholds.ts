import type { Thresholds } from './rule.ts';

/**
 * Every limit a rule compares with, in one place, each with where it comes from. `--config` overrides any of them by
 * code and name.
 */
export const thresholds = {
  PKT0201: {
    usage: {
      value: 0.95,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use at either end of the window from which drops are put down to a full table.',
      source: 'net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max',
    },
  },
  PKT0202: {
    usage: {
      value: 0.95,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use at either end of the window from which the table counts as nearly full.',
      source: 'net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max',
    },
    filling: {
      value: 0.85,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use that is told without a warning: a level alone harms nobody.',
      source: 'Netdata and the seed warn from 85 %; node-mixin from 75 %',
    },
    evicted: {
      value: 10,
      unit: 'events',
      help: 'Evicted flows (early_drop) in the window from which it is worth a warning.',
      source: 'judgement: fewer are the tail of one burst',
    },
  },
  PKT0203: {
    full: {
      value: 0.95,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use from which the losses are left to PKT0201 and PKT0202.',
      source: 'as PKT0201',
    },
    lost: {
      value: 10,
      unit: 'events',
      help: 'Entries lost at confirmation in the window below which nothing is said.',
      source: 'judgement: single clashes are normal on any host that resolves names through NAT',
    },
    lostPerSecond: {
      value: 1,
      unit: 'per second',
      help: 'Entries lost at confirmation per second from which it is worth a warning.',
      source: 'judgement: each is one packet, for DNS a five-second timeout of its caller (resolv.conf(5))',
    },
    share: {
      value: 0.01,
      unit: 'ratio',
      help: 'Entries lost relative to the entries in the table, for hosts with few flows.',
      source: 'judgement: one flow in a hundred',
    },
  },
  PKT0301: {
    remoteShare: {
      value: 0.25,
      unit: 'ratio',
      help: "Share of a NIC's receive work done on CPUs of another NUMA node.",
      source:
        'judgement: a remote node makes a packet dearer by 10 to 30 %, below a quarter of it the whole gains little',
    },
    packets: {
      value: 20000,
      unit: 'per second',
      help: 'Packets per second a NIC must receive before placement matters.',
      source: 'judgement: below it the receive work is a few percent of one core',
    },
  },
  PKT0302: {
    foreignShare: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of the page allocations that wanted a node and were served by another.',
      source: 'judgement; mm/page_alloc.c:zone_statistics counts them',
    },
    foreignPerSecond: {
      value: 500,
      unit: 'per second',
      help: 'Such allocations per second below which nothing is said.',
      source: 'judgement: 500 order-0 pages are 2 MB/s',
    },
  },
  PKT0303: {
    cpuShare: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of one CPU that a thread must use before its place matters.',
      source: 'judgement: five ticks of 100 in a second',
    },
    packets: {
      value: 1000,
      unit: 'per second',
      help: 'Packets per second from which a NIC counts as in use.',
      source: 'judgement: far below what makes a switch thread busy',
    },
  },
  PKT0401: {
    attempts: {
      value: 5,
      unit: 'connections',
      help: 'Refused connection attempts in the window from which it is a warning; fewer are mentioned.',
      source: 'judgement: one refused client retries up to 6 times (net.ipv4.tcp_syn_retries)',
    },
    attemptsPerSecond: {
      value: 1,
      unit: 'per second',
      help: 'Refused attempts per second from which it is critical.',
      source:
        'Netdata warns above 1 and is critical above 5 per second; each attempt costs its client a second or more',
    },
  },
  PKT0402: {
    dropped: {
      value: 5,
      unit: 'events',
      help: 'SYNs dropped in the window from which it is a finding; fewer are mentioned.',
      source: 'judgement: one refused client retries up to 6 times (net.ipv4.tcp_syn_retries)',
    },
    droppedPerSecond: {
      value: 1,
      unit: 'per second',
      help: 'Dropped SYNs per second from which it is critical.',
      source: 'judgement: each costs its client a second or more',
    },
    cookiesPerSecond: {
      value: 10,
      unit: 'per second',
      help: 'SYNs answered with a cookie per second from which it is a warning; nothing is lost yet.',
      source: 'judgement: PCP alarms on any, which bursts of clients reach too',
    },
  },
  PKT0403: {
    lost: {
      value: 5,
      unit: 'segments',
      help: 'Segments dropped at receive queues in the window below which nothing is said.',
      source: 'judgement: TCP repairs a few without anyone noticing',
    },
    share: {
      value: 0.0001,
      unit: 'ratio',
      help: 'Dropped segments relative to received ones from which it is a warning.',
      source: 'judgement: a loss of 1 in 10,000 begins to bound the throughput of long paths (Mathis et al.)',
    },
    criticalShare: {
      value: 0.01,
      unit: 'ratio',
      help: 'Dropped segments relative to received ones from which it is critical.',
      source: 'judgement: 1 % loss halves and halves again what a connection carries',
    },
  },
  PKT0404: {
    pressure: {
      value: 1,
      unit: 'ratio',
      help: 'TCP memory relative to tcp_mem[pressure] from which TCP is under pressure.',
      source: 'net/core/sock.c:__sk_mem_raise_allocated enters memory pressure above sysctl_mem[1]',
    },
    max: {
      value: 1,
      unit: 'ratio',
      help: 'TCP memory relative to tcp_mem[max] from which allocations fail.',
      source: 'net/core/sock.c:__sk_mem_raise_allocated suppresses allocation above sysctl_mem[2]',
    },
  },
  PKT0405: {
    lost: {
      value: 10,
      unit: 'datagrams',
      help: 'Datagrams lost in the window below which nothing is said.',
      source: 'Netdata: more than 10 per minute',
    },
    share: {
      value: 0.001,
      unit: 'ratio',
      help: 'Lost datagrams relative to all of them from which it is a warning.',
      source: 'judgement: a tenth of the share from which hotsos raises an issue',
    },
    criticalShare: {
      value: 0.01,
      unit: 'ratio',
      help: 'Lost datagrams relative to all of them from which it is critical.',
      source: 'hotsos: more than 1 % of the datagrams',
    },
    flood: {
      value: 0.1,
      unit: 'ratio',
      help: 'Lost share from which the reader is too slow for the rate and no buffer will help.',
      source: 'judgement: a buffer bridges bursts, not a tenth of the traffic of a whole window',
    },
  },
  PKT0406: {
    closed: {
      value: 10,
      unit: 'events',
      help: 'Receive windows that closed in the window of measurement below which nothing is said.',
      source: 'judgement: flow control doing its work now and then',
    },
    closedPerSecond: {
      value: 10,
      unit: 'per second',
      help: 'Receive windows closing per second from which it is a warning.',
      source: 'judgement: ten stalled senders a second is more than a download throttled on purpose',
    },
  },
} as const satisfies Readonly<Record<string, Thresholds>>;
