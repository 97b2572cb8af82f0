import { profileStackSamples } from '../metrics/catalogue/index.ts';
import { increase } from '../metrics/expression.ts';
import { spinners } from '../facts/spinners.ts';
import { worded } from './finding.ts';
import { costLimits, costly, costWords, judgeParts, needsProfile, notDear, pathSignals, VERIFY } from './path-parts.ts';
import { defineRule, optionalList } from './rule.ts';

const LOCK = 'lock';

export const lockContention = defineRule({
  code: 'PKT0111',
  id: 'lock-contention',
  role: 'cause',
  title: 'CPUs wait for locks in the packet path',
  scope: [],
  signals: { ...pathSignals, stacks: optionalList(increase(profileStackSamples)) },
  thresholds: costLimits(
    0.25,
    500,
    'estimate from single runs, not a series: locks that nobody else wants take 2 to 8 % of a packet',
  ),
  messages: {
    dear: `Locks take ${costWords}. Waited for in {owners}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const judged = judgeParts(read, (part) => part === LOCK, limits);
    if (judged === undefined) return notDear(read, (part) => part === LOCK, limits);
    const callers = spinners(read.stacks, judged.cost.direction).slice(0, 3);
    return costly(judged, {
      message: 'dear',
      args: {
        owners:
          callers.length === 0 ? worded([], 'functions that are unknown') : callers.map(({ name }) => name).join(', '),
      },
      evidence: { samples: null, processed: null },
      remedies: [...new Map(callers.map(({ name }) => [adviceOf(name), name])).keys()]
        .slice(0, 2)
        .concat(callers.length === 0 ? [adviceOf('')] : [])
        .map((action) => ({
          action,
          command:
            'perf record -a -g -e cpu-clock -- sleep 5 && perf report --no-children -S _raw_spin_lock,native_queued_spin_lock_slowpath',
          verify: VERIFY,
        })),
    });
  },
});

/** What relieves a lock, by who waits for it. */
const advice: readonly (readonly [callers: RegExp, action: string])[] = [
  [
    /dev_xmit_skb|sch_|qdisc|htb_|tbf_|pfifo|dev_queue_xmit/,
    'Senders wait for one queueing discipline: give the device a queue for each CPU (mq with fq or fq_codel below it) instead of one htb or tbf for all.',
  ],
  [
    /udp_|__udp/,
    'Many CPUs deliver to one UDP socket: open one for each CPU with SO_REUSEPORT, and let a BPF program or the flow choose.',
  ],
  [
    /tcp_|inet_csk|sk_/,
    'Many CPUs want one socket: spread listeners with SO_REUSEPORT, connections over more sockets.',
  ],
  [
    /conntrack|nf_ct/,
    'Flows are set up and taken down faster than conntrack lets CPUs do it side by side: do not track what no rule asks about.',
  ],
  [
    /ep_poll|wake_up|epoll/,
    'Many threads wait on one epoll or one socket: let each have its own, or use EPOLLEXCLUSIVE.',
  ],
  [/htab_|bpf_/, 'A BPF map is shared by all CPUs: make it a map per CPU, or let fewer packets write to it.'],
];

function adviceOf(caller: string): string {
  return (
    advice.find(([callers]) => callers.test(caller))?.[1] ??
    'See which function waits and what it protects; spread the flows so that fewer CPUs want it at once.'
  );
}
