import type { Thresholds } from './rule.ts';

/**
 * Every limit a rule compares with, in one place, each with where it comes from. `--config` overrides any of them by
 * code and name.
 */
export const thresholds = {
  PKT0101: {
    busy: {
      value: 500,
      unit: 'per second',
      help: 'Packets per second on a device below which a tap costs nothing worth naming.',
      source:
        'measured: the dearest taps (three captures of TCP bulk, 19 µs a packet) take 1 % of a CPU at 526 packets/s',
    },
    samples: {
      value: 50,
      unit: 'packets',
      help: 'Measured packets below which the mean of the tap span is not taken for a price.',
      source: 'judgement: the standard error of the mean is then about a seventh of the spread',
    },
    lost: {
      value: 0.5,
      unit: 'ratio',
      help: 'Share of the samples begun that were lost, from which those that are left are not taken for the whole.',
      source: 'judgement: packets lose their stamp by what happens to them (a clone, another device), not by chance',
    },
    nanoseconds: {
      value: 250,
      unit: 'nanoseconds',
      help: 'Price of the taps per packet from which it can be worth a warning; the median packet has to pay it as well.',
      source:
        'measured: a tap whose filter rejects costs 130-340 ns in the mean and up to 200 ns in the median at load averages ' +
        'of 2 to 10, one tcpdump 540-1,120 ns and at least 520 ns',
    },
    uneven: {
      value: 500,
      unit: 'nanoseconds',
      help: 'Price that is enough though the median packet pays less: a filter takes some packets. Less two standard errors.',
      source:
        'measured: interrupts within the span moved the mean by up to 150 ns (a stall of 3 ms by 440 ns, at an error of as much)',
    },
    share: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of the cost of receiving a packet that the taps take, from which it is a warning.',
      source:
        'judgement: a CPU without them carries a ninth more packets. One tcpdump takes 10-26 % here; at 15 % a third of ' +
        'them would be missed',
    },
    cpu: {
      value: 0.01,
      unit: 'ratio',
      help: 'CPU time the taps burn, in CPUs, from which they are material.',
      source: 'judgement: 1 % of one CPU, the budget pktcost allows itself',
    },
    minorShare: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of the cost of a packet below which taps are called negligible.',
      source: 'judgement: within what the span and its floor can tell apart',
    },
    criticalShare: {
      value: 0.3,
      unit: 'ratio',
      help: 'Share of the cost of a packet from which taps that also burn much CPU, or meet drops, are critical.',
      source: 'judgement: a CPU without them carries over 40 % more packets',
    },
    criticalCpu: {
      value: 0.2,
      unit: 'ratio',
      help: 'CPU time the taps burn, in CPUs, from which a critical share is critical without drops.',
      source: 'judgement: a fifth of a core',
    },
    hot: {
      value: 0.7,
      unit: 'ratio',
      help: 'Share of its time that a CPU spends in softirq and NAPI threads from which it is short of room.',
      source: 'the warning level of PKT0102',
    },
    spare: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of its time a CPU may be idle and still count as short of time where the taps take criticalCpu of it.',
      source: 'judgement: with more to spare a program waits for its turn only in bursts',
    },
    loss: {
      value: 0.0001,
      unit: 'ratio',
      help: 'Packets lost in NIC ring or backlog relative to those received from which a loss counts.',
      source: 'the warning level of PKT0501 and PKT0502',
    },
    dominant: {
      value: 0.1,
      unit: 'ratio',
      help: "Share of the host's packets a device must carry before the cost of the host is put down to it.",
      source: 'judgement: less cannot be the cause of a busy CPU',
    },
    rise: {
      value: 1.5,
      unit: 'ratio',
      help: 'Softirq time per packet relative to the baseline from which it has risen.',
      source: 'judgement: more than a change of packet sizes does',
    },
    dear: {
      value: 20000,
      unit: 'nanoseconds',
      help: 'NET_RX time per packet, per frame where GRO merges, from which receiving is called expensive whatever the CPUs do.',
      source: 'measured: an untapped packet costs 1-3 µs, an skb of 64 KB that came as one frame up to 10 µs',
    },
  },
  PKT0102: {
    share: {
      value: 0.9,
      unit: 'ratio',
      help: 'Share of its time that a CPU spends in softirq and NAPI threads from which it is saturated.',
      source: 'the seed (§4, §5.4)',
    },
    warningShare: {
      value: 0.7,
      unit: 'ratio',
      help: 'The same share from which it is a warning.',
      source: 'the seed (§5.5)',
    },
    packets: {
      value: 1000,
      unit: 'per second',
      help: 'Packets per second received on the CPU, or NET_RX runs beyond them, below which its softirq is not the network.',
      source: 'judgement: 700 µs a packet is beyond what any path costs',
    },
    starvedShare: {
      value: 0.2,
      unit: 'ratio',
      help: 'The same share from which a CPU that is never idle and drops packets is short of time beside its programs.',
      source:
        'judgement: ksoftirqd is one task of many, beside four programs it gets a fifth; measured: 43 % beside three',
    },
    spare: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of its time such a CPU may be idle.',
      source: 'as PKT0101',
    },
    loss: {
      value: 0.01,
      unit: 'ratio',
      help: 'Packets that the backlog of such a CPU drops relative to all that were queued to it.',
      source: 'the critical level of PKT0502: less may be a burst',
    },
  },
  PKT0103: {
    packets: {
      value: 100,
      unit: 'per second',
      help: 'Packets per second received on a CPU that was set apart, from which it is a warning.',
      source: 'judgement: each interrupts a polling thread for microseconds; housekeeping traffic stays below',
    },
    share: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of its time such a CPU loses to interrupts and softirq from which it is critical.',
      source: 'judgement: a poll-mode core sized for its line rate has less to spare',
    },
  },
  PKT0104: {
    busy: {
      value: 500,
      unit: 'per second',
      help: 'Packets per second on a device below which too few samples are no loss: nobody waits for them.',
      source: 'the limit of PKT0101 below which a device counts as idle',
    },
    samples: {
      value: 200,
      unit: 'packets',
      help: 'Measured packets below which the quantiles of a span are not judged.',
      source: 'the 99th percentile of 200 is set by two of them',
    },
    lost: {
      value: 0.5,
      unit: 'ratio',
      help: 'Share of the samples begun that were lost, from which those that are left are not taken for the whole.',
      source: 'as PKT0101',
    },
    p50: {
      value: 5000,
      unit: 'nanoseconds',
      help: 'Median of a span that holds only work, not waiting (taps, generic XDP), from which it is a warning.',
      source: 'measured: 150-400 ns without taps, 600 ns to 2 µs with one to four taps on small packets',
    },
    p99: {
      value: 100000,
      unit: 'nanoseconds',
      help: '99th percentile of such a span from which it is a warning.',
      source: 'judgement: a packet at the front of a queue makes 99 others late by that much',
    },
    criticalP99: {
      value: 1000000,
      unit: 'nanoseconds',
      help: '99th percentile of such a span from which it is critical.',
      source: 'half of the two jiffies one softirq run may take at HZ=1000 (net/core/dev.c:netdev_budget_usecs)',
    },
    nativeP50: {
      value: 100000,
      unit: 'nanoseconds',
      help: 'Median of a native XDP span, which contains the wait in GRO and in batches, from which it is a warning.',
      source: 'measured: 28.6 µs on average for one TCP bulk flow on an idle host',
    },
    rise: {
      value: 2,
      unit: 'ratio',
      help: 'Quantile relative to the same quantile of the baseline from which it has risen.',
      source: 'judgement: quantiles are exact to 6 %, repeated runs to some ten percent',
    },
    riseBy: {
      value: 500,
      unit: 'nanoseconds',
      help: 'Nanoseconds by which the median must have risen as well.',
      source: 'measured: the floor of the span itself moves between 150 and 390 ns with the sampling',
    },
  },
  PKT0105: {
    busy: {
      value: 500,
      unit: 'per second',
      help: 'Packets per second passing the socket from which it is a warning instead of a remark.',
      source: 'the limit of PKT0101 below which a tap costs nothing worth naming',
    },
  },
  PKT0201: {
    usage: {
      value: 0.95,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use at either end of the window from which drops are put down to a full table.',
      source: 'net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max',
    },
    refused: {
      value: 0.01,
      unit: 'ratio',
      help: 'Packets dropped among the new flows that met a full table (dropped and let in by evicting another) from which new flows fail.',
      source: 'judgement: one flow in a hundred; below, PKT0202 tells of the evictions and names the drops',
    },
  },
  PKT0202: {
    usage: {
      value: 0.95,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use at either end of the window from which the table counts as nearly full.',
      source: 'net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max',
    },
    refused: {
      value: 0.01,
      unit: 'ratio',
      help: 'Packets dropped among the new flows that met a full table from which the rest is left to PKT0201.',
      source: 'as PKT0201',
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
    aborted: {
      value: 10,
      unit: 'connections',
      help: 'Connections killed for want of memory or for too many orphans from which it is critical; fewer are a warning.',
      source: 'judgement: each is a connection reset in the middle of its work',
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
    lost: {
      value: 5,
      unit: 'segments',
      help: 'Segments dropped at receive queues from which, with the share, the finding is left to PKT0403.',
      source: 'as PKT0403',
    },
    share: {
      value: 0.0001,
      unit: 'ratio',
      help: 'Dropped segments relative to received ones from which, with the count, the finding is left to PKT0403.',
      source: 'as PKT0403',
    },
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
  PKT0501: {
    lost: {
      value: 10,
      unit: 'packets',
      help: 'Frames lost in the window below which nothing is said.',
      source: 'judgement: one burst at the start of a flow',
    },
    share: {
      value: 0.0001,
      unit: 'ratio',
      help: 'Lost frames relative to all that arrived from which it is a warning.',
      source: 'judgement: a loss of 1 in 10,000 begins to bound the throughput of long paths (Mathis et al.)',
    },
    criticalShare: {
      value: 0.01,
      unit: 'ratio',
      help: 'Lost frames relative to all that arrived from which it is critical.',
      source: 'judgement: 1 % loss halves and halves again what a connection carries',
    },
    hot: {
      value: 0.7,
      unit: 'ratio',
      help: 'Softirq share of a CPU from which a larger ring will not help.',
      source: 'the warning level of PKT0102',
    },
    spare: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of its time such a CPU may be idle for the same, whoever takes the rest.',
      source: 'as PKT0101',
    },
  },
  PKT0502: {
    lost: {
      value: 10,
      unit: 'packets',
      help: 'Packets dropped by the backlog of a CPU in the window below which nothing is said.',
      source: 'judgement: one burst',
    },
    share: {
      value: 0.0001,
      unit: 'ratio',
      help: 'Dropped packets relative to all that the CPU was given from which it is a warning.',
      source: 'judgement: a loss of 1 in 10,000 begins to bound the throughput of long paths (Mathis et al.)',
    },
    criticalShare: {
      value: 0.01,
      unit: 'ratio',
      help: 'Dropped packets relative to all that the CPU was given from which it is critical.',
      source: 'judgement: 1 % loss halves and halves again what a connection carries',
    },
    squeezed: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of NET_RX runs that ended with work left from which it is mentioned.',
      source: 'judgement: normal in bursts; one run in ten means that the budget is the limit',
    },
    spare: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of its time a CPU may be idle for a longer queue to be no advice.',
      source: 'as PKT0101',
    },
    squeezedPerSecond: {
      value: 10,
      unit: 'per second',
      help: 'Such runs per second below which nothing is said.',
      source: 'judgement',
    },
  },
  PKT0601: {
    margin: {
      value: 1.1,
      unit: 'ratio',
      help: 'PCIe bandwidth relative to the speed of the port below which a narrower link is a warning.',
      source: 'judgement: descriptors and completions take about a tenth of the link',
    },
  },
  PKT0604: {
    memory: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of the time in which some task waited for memory.',
      source: 'judgement: a healthy host stays near 0',
    },
    memoryStalled: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of the time in which all tasks waited for memory at once.',
      source: 'judgement; systemd-oomd acts at 60 % over 30 s, when users have long noticed',
    },
    irq: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of the time in which the tasks of a CPU stood still for interrupts.',
      source: 'judgement; kernel/sched/psi.c:psi_account_irqtime',
    },
    io: {
      value: 0.5,
      unit: 'ratio',
      help: 'Share of the time in which some task waited for I/O.',
      source: 'judgement: normal on storage hosts, hence a remark',
    },
    cpu: {
      value: 0.5,
      unit: 'ratio',
      help: 'Share of the time in which some task waited for a CPU.',
      source: 'judgement: normal on a well-used host, hence a remark',
    },
  },
} as const satisfies Readonly<Record<string, Thresholds>>;
