import { kernelLogLines } from '../metrics/catalogue/index.ts';
import { value } from '../metrics/expression.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { worded, type Evidence, type Finding, type Advice } from './finding.ts';
import { tableLimits, tableLosses } from './remedies/neighbours.ts';

/** What the kernel's log says to a rule. */
interface Logged {
  readonly about: string;
  /** What the lines say, where nothing else tells of it. Without, they only go with what is found. */
  readonly words?: string;
  readonly remedy?: Advice;
}

const WHEN = 'When that was, of which namespace, and how much was lost is not in it';

const logged: Readonly<Record<string, Logged>> = {
  PKT0201: {
    about: 'conntrack',
    words: "The kernel's log says {times} that the conntrack table was full and packets were dropped.",
    remedy: {
      action: 'See how full the table is now, and whether its statistics rise.',
      command: 'sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max; conntrack -S',
      verify: 'conntrack -S',
    },
  },
  PKT0402: { about: 'syn-flood' },
  PKT0404: {
    about: 'tcp-memory',
    words: "The kernel's log says {times} that TCP was out of memory or had too many orphans.",
    remedy: {
      action: 'See how much memory TCP holds now, and whether it kills connections.',
      command:
        'cat /proc/net/sockstat; sysctl net.ipv4.tcp_mem net.ipv4.tcp_max_orphans; nstat -az TcpExtTCPAbortOnMemory',
      verify: 'nstat -az TcpExtTCPAbortOnMemory',
    },
  },
  PKT0702: {
    about: 'neighbours',
    words: "The kernel's log says {times} that a neighbour table overflowed (gc_thresh3).",
    remedy: {
      action: 'See how many neighbours there are, and what the limit is.',
      command: `ip neigh | wc -l; ${tableLimits}`,
      verify: tableLosses,
    },
  },
};

/**
 * The findings of one rule with what the kernel's log says to them, in copies that hold it. Lines may be old and of any namespace:
 * they go with what was found, and alone they are `possible`. What was counted in a window stands against them.
 */
export function withLog(findings: readonly Finding[], code: string, window: Window): Finding[] {
  const said = logged[code];
  const lines = said === undefined ? undefined : linesOf(said.about, window);
  if (said === undefined || lines === undefined) return [...findings];
  if (findings.some(fires)) {
    return findings.map((each) => (fires(each) ? { ...each, evidence: [...each.evidence, lines] } : each));
  }
  const { words, remedy } = said;
  if (words === undefined || remedy === undefined) return [...findings];
  return findings.map((each) => {
    const own = (each.at['netns'] ?? OWN_NETNS) === OWN_NETNS;
    const unread = each.outcome === 'not-measured';
    // What the counters of this namespace have none of since boot was another's.
    if (!own || !(unread || (each.outcome === 'ok' && window.single))) return each;
    return {
      ...each,
      outcome: unread ? 'warning' : 'info',
      certainty: 'possible',
      message: unread ? 'logged' : 'logged-elsewhere',
      words: `${words} ${unread ? `${WHEN}.` : `${WHEN}; no counter that was read here has any.`}`,
      args: { ...each.args, times: worded(lines.value, timesText(lines.value)) },
      evidence: [...each.evidence, lines],
      remedies: [remedy],
      missing: [],
    };
  });
}

function timesText(lines: number): string {
  return lines === 1 ? 'once' : `${lines.toLocaleString('en-US')} times`;
}

function fires({ outcome }: Finding): boolean {
  return outcome === 'critical' || outcome === 'warning' || outcome === 'info';
}

function linesOf(about: string, window: Window): Evidence | undefined {
  const labels = { about };
  const after = window.after.get(kernelLogLines, labels)?.value;
  if (after === undefined || after === 0) return undefined;
  return {
    signal: 'logged',
    metric: kernelLogLines.name,
    over: [],
    labels,
    before: window.single ? null : (window.before.get(kernelLogLines, labels)?.value ?? 0),
    after,
    value: after,
    unit: kernelLogLines.unit,
    threshold: null,
    comparison: null,
    source: kernelLogLines.source,
    promql: value(kernelLogLines, labels).promql('5m'),
  };
}
