import {
  acceptQueue,
  acceptQueueLimit,
  listenerDrops,
  netstat,
  socketOwner,
  sysctl,
} from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { andOn, increase, peak, rate, value } from '../metrics/expression.ts';
import { culprit } from './facts/listeners.ts';
import { atLeast } from './facts/proof.ts';
import { acceptFaster, findListener, raiseBacklog } from './remedies/listen.ts';
import { critical, defineRule, info, ok, optional, optionalList, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

const overflows = netstat.member('TcpExt_ListenOverflows');

export const listenQueueOverflow = defineRule({
  code: 'PKT0401',
  id: 'listen-queue-overflow',
  role: 'outcome',
  title: 'A listener refuses connections: its accept queue is full',
  seed: '§3.8, Example C',
  scope: ['netns'],
  signals: {
    attempts: increase(overflows),
    // Contains the overflows and every other reason a listener drops for.
    dropped: optional(increase(netstat.member('TcpExt_ListenDrops'))),
    accepted: optional(increase(netstat.member('Tcp_PassiveOpens'))),
    somaxconn: optional(value(sysctl, { name: 'net.core.somaxconn' })),
    listenerDrops: optionalList(increase(listenerDrops)),
    queues: optionalList(peak(acceptQueue)),
    limitsOf: optionalList(value(acceptQueueLimit)),
    owners: optionalList(value(socketOwner)),
  },
  thresholds: thresholds.PKT0401,
  messages: {
    backlog:
      '{attempts:count} connection attempts were refused ({rate:rate}; {accepted:count} connections came through) because the ' +
      'accept queue of {listener} is full: {process} gave listen() a backlog of {limit:count}; net.core.somaxconn would allow ' +
      '{somaxconn:count}. Attempts, not connections: each retry counts.',
    somaxconn:
      '{attempts:count} connection attempts were refused ({rate:rate}; {accepted:count} connections came through) because the ' +
      'accept queue of {listener}, held by {process}, is full at {limit:count}, the net.core.somaxconn when it began to ' +
      'listen. Attempts, not connections: each retry counts.',
    listener:
      '{attempts:count} connection attempts were refused ({rate:rate}; {accepted:count} connections came through) because an ' +
      'accept queue was full, in all likelihood that of {listener}, held by {process}. Attempts, not connections: each retry counts.',
    'listener-closed':
      '{attempts:count} connection attempts were refused ({rate:rate}; {accepted:count} connections came through) because an ' +
      'accept queue was full. No listener that is there at both ends of the window dropped any: the one at fault began or ' +
      'ceased to listen in between.',
    'listener-unread':
      '{attempts:count} connection attempts were refused ({rate:rate}; {accepted:count} connections came through) because an ' +
      'accept queue was full. Whose is unknown: the listeners of this namespace could not be listed.',
  },
  alert: {
    raise: ({ attempts }, limits) => {
      const some = where(attempts, '>=', limits.attempts);
      const says = '{value} connection attempts were refused in {range} because an accept queue was full.';
      return {
        critical: { when: andOn([], some, where(rate(overflows), '>=', limits.attemptsPerSecond)), says },
        warning: { when: some, says },
      };
    },
  },
  conclude({ attempts, accepted, somaxconn, listenerDrops, queues, limitsOf, owners }, limits, at) {
    if (attempts.value === 0) return ok();
    const rate = attempts.value / at.seconds;
    const listener = culprit({ listenerDrops, queues, limitsOf, owners });
    const limit = listener?.limit;
    const message = messageFor(listener, queues.length, somaxconn?.value);
    const said = {
      message,
      args: {
        attempts: attempts.value,
        rate,
        accepted: accepted?.value ?? 0,
        listener: listener?.name ?? '',
        process: listener?.owner.name ?? '',
        limit: limit ?? 0,
        somaxconn: somaxconn?.value ?? 0,
        others: listener?.others ?? 0,
      },
      evidence: {
        attempts: atLeast(attempts.value, limits.attempts),
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
              ...raiseBacklog({
                netns: at.netns,
                port: listener.port,
                pid: listener.owner.pid,
                limit,
                somaxconn: somaxconn?.value,
                perSecond: rate,
              }),
              ...acceptFaster(at.netns, listener.owner.pid),
            ],
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
  listeners: number,
  somaxconn: number | undefined,
): 'backlog' | 'somaxconn' | 'listener' | 'listener-closed' | 'listener-unread' {
  if (listener === undefined) return listeners === 0 ? 'listener-unread' : 'listener-closed';
  if (listener.limit === undefined || somaxconn === undefined || listener.drops === 0) return 'listener';
  return listener.limit < somaxconn ? 'backlog' : 'somaxconn';
}
