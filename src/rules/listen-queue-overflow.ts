import { culprit } from '../facts/listeners.ts';
import type { Signal } from '../facts/signal.ts';
import { risen, holdersOfSockets } from '../facts/sockets.ts';
import { acceptQueue, acceptQueueLimit, listenerDrops, netstat, sysctl } from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { andOn, either, increase, peak, rate, sumBy, value } from '../metrics/expression.ts';
import { againstLimit } from './proof.ts';
import { readerFirst, threadSignals } from './reader-signals.ts';
import { acceptFaster, findListener, raiseListenBacklog } from './remedies/listen.ts';
import { critical, deciding, defineRule, info, list, ok, optional, optionalList, warning } from './rule.ts';
import { holder, throughText } from './said.ts';
import { shared } from './shared-limits.ts';

const overflows = netstat.member('TcpExt_ListenOverflows');

export const listenQueueOverflow = defineRule({
  code: 'PKT0401',
  id: 'listen-queue-overflow',
  role: 'outcome',
  title: 'Connections time out at a listener: its accept queue is full',
  scope: ['netns'],
  signals: {
    any: list(either(increase(overflows), sumBy([], peak(acceptQueue)))),
    attempts: deciding(increase(overflows)),
    perSecond: optional(rate(overflows)),
    // Contains the overflows and every other reason a listener drops for.
    dropped: optional(increase(netstat.member('TcpExt_ListenDrops'))),
    accepted: optional(increase(netstat.member('Tcp_PassiveOpens'))),
    somaxconn: optional(value(sysctl, { name: 'net.core.somaxconn' })),
    listenerDrops: optionalList(increase(listenerDrops)),
    queues: optionalList(peak(acceptQueue)),
    limitsOf: optionalList(value(acceptQueueLimit)),
    owners: optionalList(holdersOfSockets),
    ...threadSignals,
  },
  thresholds: {
    attempts: {
      value: shared.attemptsRepeated,
      unit: 'connections',
      help: 'Dropped connection attempts in the window from which it is a warning; fewer are mentioned.',
      source: 'judgement: one such client retries up to 6 times (net.ipv4.tcp_syn_retries)',
    },
    attemptsPerSecond: {
      value: 1,
      unit: 'per second',
      help: 'Dropped attempts per second from which it is critical.',
      source:
        'Netdata warns above 1 and is critical above 5 per second; each attempt costs its client a second or more',
    },
  },
  messages: {
    backlog:
      '{attempts:count} connection attempts were dropped ({rate:rate}{through}) because the ' +
      'accept queue of {listener} is full: {process} gave listen() a backlog of {limit:count}; net.core.somaxconn would allow ' +
      '{somaxconn:count}. Clients see time-outs, and each retry counts.',
    somaxconn:
      '{attempts:count} connection attempts were dropped ({rate:rate}{through}) because the ' +
      'accept queue of {listener}, held by {process}, is full at {limit:count}, the net.core.somaxconn when it began to ' +
      'listen. Clients see time-outs, and each retry counts.',
    listener:
      '{attempts:count} connection attempts were dropped ({rate:rate}{through}) because an ' +
      'accept queue was full, in all likelihood that of {listener}, held by {process}. Clients see time-outs, and each retry counts.',
    'full-now':
      'The accept queue of {listener}, held by {process}, is full: {waiting:count} connections wait where {limit:count} have room. ' +
      'Further attempts are dropped, and clients see time-outs.',
    'listener-several':
      '{attempts:count} connection attempts were dropped ({rate:rate}{through}) because an accept queue was full. Several ' +
      'listeners dropped some, and whose queue is full could not be read.',
    'listener-closed':
      '{attempts:count} connection attempts were dropped ({rate:rate}{through}) because an ' +
      'accept queue was full. No listener that was open for the whole window dropped any: the one at fault began or ' +
      'stopped listening meanwhile.',
    'listener-untold':
      '{attempts:count} connection attempts were dropped ({rate:rate}{through}) because an ' +
      'accept queue was full. Which listener is unknown: what each of them dropped was not told.',
    'listener-unread':
      '{attempts:count} connection attempts were dropped ({rate:rate}{through}) because an ' +
      'accept queue was full. Which listener is unknown: those of this namespace could not be listed.',
  },
  alert: {
    raise: ({ attempts, perSecond }, limits) => {
      const some = where(attempts, '>=', limits.attempts);
      const says = '{value} connection attempts were dropped in {range} because an accept queue was full.';
      return {
        critical: { when: andOn([], some, where(perSecond, '>=', limits.attemptsPerSecond)), says },
        warning: { when: some, says },
      };
    },
  },
  conclude(read, limits, at) {
    const { attempts, perSecond, accepted, somaxconn, listenerDrops, queues, limitsOf, owners } = read;
    if (attempts === undefined || attempts.value === 0) {
      // Over two samples the counter says more.
      if (!at.oneSample && !at.unread.has('attempts')) return ok();
      const full = culprit({ listenerDrops: [], queues, limitsOf, owners });
      if (full === undefined || (full.waiting ?? 0) <= (full.limit ?? Infinity)) return ok();
      return warning({
        certainty: 'possible',
        message: 'full-now',
        args: { listener: full.name, process: holder(full.owner), waiting: full.waiting ?? 0, limit: full.limit ?? 0 },
        evidence: { queues: null, limitsOf: null, attempts: null },
        remedies: acceptFaster(at.netns, full.owner.pid).concat(findListener(at.netns)),
      });
    }
    const rate = perSecond?.value ?? 0;
    const listener = culprit({ listenerDrops, queues, limitsOf, owners });
    const limit = listener?.limit;
    const message = messageFor(
      listener,
      listenerDrops,
      queues.length === 0 && at.unread.has('queues') ? 'unread' : at.unread.has('listenerDrops') ? 'untold' : 'closed',
      somaxconn?.value,
    );
    const said = {
      message,
      args: {
        attempts: attempts.value,
        rate,
        through: throughText(accepted),
        listener: listener?.name ?? '',
        process: listener === undefined ? '' : holder(listener.owner),
        limit: limit ?? 0,
        somaxconn: somaxconn?.value ?? 0,
        others: listener?.others ?? 0,
      },
      evidence: {
        attempts: againstLimit(attempts.value, limits.attempts),
        dropped: null,
        accepted: null,
        listenerDrops: null,
        queues: null,
        limitsOf: null,
        somaxconn: null,
      },
      remedies:
        listener === undefined
          ? findListener(at.netns)
          : [
              ...readerFirst(listener.owner.pid, read),
              ...raiseListenBacklog({
                netns: at.netns,
                port: listener.port,
                pid: listener.owner.pid,
                limit,
                somaxconn: somaxconn?.value,
                perSecond: rate,
              }),
              ...acceptFaster(at.netns, listener.owner.pid),
            ],
      place: listener?.owner.pid === undefined ? {} : { pids: [listener.owner.pid] },
      impact: { lostPerSecond: rate },
    } as const;
    if (attempts.value < limits.attempts) return info({ certainty: 'measured', ...said });
    return rate >= limits.attemptsPerSecond
      ? critical({ certainty: 'measured', ...said })
      : warning({ certainty: 'measured', ...said });
  },
});

function messageFor(
  listener: ReturnType<typeof culprit>,
  dropped: readonly Signal[],
  why: 'unread' | 'untold' | 'closed',
  somaxconn: number | undefined,
): 'backlog' | 'somaxconn' | 'listener' | 'listener-several' | `listener-${typeof why}` {
  if (listener === undefined && risen(dropped).length > 1) return 'listener-several';
  if (listener === undefined) return `listener-${why}`;
  if (listener.limit === undefined || somaxconn === undefined || listener.drops === 0) return 'listener';
  return listener.limit < somaxconn ? 'backlog' : 'somaxconn';
}
