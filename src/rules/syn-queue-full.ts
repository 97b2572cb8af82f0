import { holdersOfSockets } from '../facts/sockets.ts';
import { culprit } from '../facts/listeners.ts';
import { acceptQueue, acceptQueueLimit, listenerDrops, netstat, sysctl } from '../metrics/catalogue/index.ts';
import { unlessOn, where } from '../metrics/condition.ts';
import { andOn, either, increase, peak, rate, value } from '../metrics/expression.ts';
import { againstLimit } from './proof.ts';
import { findListener, raiseListenBacklog } from './remedies/listen.ts';
import { setSysctl } from './remedies/setting.ts';
import { inNetns } from './remedies/shell.ts';
import { critical, defineRule, info, ok, optional, optionalList, warning } from './rule.ts';
import { holder, throughText } from './said.ts';

/** net.ipv4.tcp_syncookies = 2: a cookie for every SYN, whatever the queue. */
const ALWAYS = 2;

const requestsDropped = netstat.member('TcpExt_TCPReqQFullDrop');
const cookiesSent = netstat.member('TcpExt_TCPReqQFullDoCookies');

export const synQueueFull = defineRule({
  code: 'PKT0402',
  id: 'syn-queue-full',
  role: 'outcome',
  title: 'A SYN queue is full: connection attempts are dropped or answered with cookies',
  scope: ['netns'],
  signals: {
    dropped: increase(requestsDropped),
    cookies: increase(cookiesSent),
    droppedPerSecond: optional(rate(requestsDropped)),
    cookiesPerSecond: optional(rate(cookiesSent)),
    syncookies: optional(value(sysctl, { name: 'net.ipv4.tcp_syncookies' })),
    somaxconn: optional(value(sysctl, { name: 'net.core.somaxconn' })),
    accepted: optional(increase(netstat.member('Tcp_PassiveOpens'))),
    listenerDrops: optionalList(increase(listenerDrops)),
    queues: optionalList(peak(acceptQueue)),
    limitsOf: optionalList(value(acceptQueueLimit)),
    owners: optionalList(holdersOfSockets),
  },
  thresholds: {
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
  messages: {
    dropped:
      '{dropped:count} connection attempts were dropped ({rate:rate}) because the SYN queue of {listener} ({process}) is full ' +
      'and SYN cookies are off.',
    'dropped-unknown':
      '{dropped:count} connection attempts were dropped ({rate:rate}) because a SYN queue is full and SYN cookies are off; ' +
      'which listener is unknown.',
    cookies:
      '{cookies:count} connection attempts were answered with a SYN cookie ({rate:rate}{through}) ' +
      'because a SYN queue was full: a flood, or a burst of clients. Nothing was dropped.',
    'cookies-or-always':
      '{cookies:count} connection attempts were answered with a SYN cookie ({rate:rate}). Whether because a SYN queue was full ' +
      'is unknown: net.ipv4.tcp_syncookies could not be read, and with 2 every request counts.',
  },
  alert: {
    raise: ({ dropped, cookies, droppedPerSecond, cookiesPerSecond, syncookies }, limits) => {
      const some = where(dropped, '>=', limits.dropped);
      const chosen = andOn([], where(cookies, '>', 0), where(syncookies, '!=', ALWAYS));
      const flooded = andOn([], chosen, where(cookiesPerSecond, '>=', limits.cookiesPerSecond));
      const says = '{value} connection attempts were dropped in {range} because a SYN queue was full';
      return {
        critical: {
          when: andOn([], some, where(droppedPerSecond, '>=', limits.droppedPerSecond)),
          says: `${says}.`,
        },
        warning: {
          when: either(some, unlessOn([], flooded, where(dropped, '>', 0))),
          says: `${says}, or answered with a SYN cookie.`,
        },
      };
    },
  },
  conclude({ dropped, cookies, syncookies, somaxconn, accepted, ...readings }, limits, at) {
    if (dropped.value > 0) {
      const rate = readings.droppedPerSecond?.value ?? 0;
      // Cookies lose nothing, so a listener's own drops are those of the full SYN queue, or of a full accept queue.
      const listener = culprit(readings);
      const remedies = [
        {
          action: 'Turn SYN cookies on: a full SYN queue then loses nothing.',
          ...setSysctl([{ name: 'net.ipv4.tcp_syncookies', value: 1, before: 0 }], { netns: at.netns }),
          verify: inNetns(at.netns, 'nstat -az TcpExtTCPReqQFullDrop TcpExtTCPReqQFullDoCookies'),
        },
        ...(listener === undefined
          ? findListener(at.netns)
          : raiseListenBacklog({
              netns: at.netns,
              port: listener.port,
              pid: listener.owner.pid,
              limit: listener.limit,
              somaxconn: somaxconn?.value,
              perSecond: rate,
            })),
        synSources(at.netns),
      ];
      const message = listener === undefined ? 'dropped-unknown' : 'dropped';
      const said = {
        message,
        args: {
          dropped: dropped.value,
          rate,
          listener: listener?.name ?? '',
          process: listener === undefined ? '' : holder(listener.owner),
        },
        evidence: {
          dropped: againstLimit(dropped.value, limits.dropped),
          syncookies: null,
          accepted: null,
          listenerDrops: null,
          limitsOf: null,
          somaxconn: null,
        },
        remedies,
        impact: { lostPerSecond: rate },
      } as const;
      if (dropped.value < limits.dropped) return info({ certainty: 'measured', ...said });
      return rate >= limits.droppedPerSecond
        ? critical({ certainty: 'measured', ...said })
        : warning({ certainty: 'measured', ...said });
    }
    if (cookies.value === 0 || syncookies?.value === ALWAYS) return ok();
    const rate = readings.cookiesPerSecond?.value ?? 0;
    const known = syncookies !== undefined;
    const message = known ? 'cookies' : 'cookies-or-always';
    const said = {
      message,
      args: { cookies: cookies.value, rate, through: throughText(accepted) },
      evidence: { cookies: ['>', 0], syncookies: null, accepted: null },
      remedies: [synSources(at.netns), ...findListener(at.netns)],
    } as const;
    if (!known) return info({ certainty: 'possible', ...said });
    return rate >= limits.cookiesPerSecond
      ? warning({ certainty: 'measured', ...said })
      : info({ certainty: 'measured', ...said });
  },
});

function synSources(netns: string): { readonly action: string; readonly command: string; readonly verify: string } {
  return {
    action:
      'See where the half-open connections come from: many addresses with few each is a flood, few with many a client.',
    command: inNetns(
      netns,
      "ss -Htn state syn-recv | awk '{print $4}' | sed 's/:[0-9]*$//' | sort | uniq -c | sort -rn | head",
    ),
    verify: inNetns(netns, 'nstat -az TcpExtTCPReqQFullDrop TcpExtTCPReqQFullDoCookies TcpExtSyncookiesRecv'),
  };
}
