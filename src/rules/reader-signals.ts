import { holdersOfSockets } from '../facts/sockets.ts';
import { overflowedPerSecond, overflowedShare, udp } from '../facts/datagrams.ts';
import { segmentsReceived } from '../facts/segments.ts';
import {
  lateReaders,
  timeOf,
  type Fate,
  type LateReader,
  type ReaderReadings,
  type ReaderTime,
  type ThreadReadings,
} from '../facts/readers.ts';
import {
  acceptQueue,
  acceptQueueLimit,
  cgroupPeriods,
  cgroupQuota,
  cgroupThrottledPeriods,
  cgroupWaiting,
  listenerDrops,
  netstat,
  readerAllowed,
  readerCgroup,
  readerCpuSeconds,
  readerDoing,
  readerWaitSeconds,
  tcpSocketReceiveQueue,
  tcpSocketSendQueue,
  udpSocketDrops,
} from '../metrics/catalogue/index.ts';
import { clampMin } from '../metrics/condition.ts';
import { increase, peak, rate, ratio, value, within } from '../metrics/expression.ts';
import type { Argument, Advice } from './finding.ts';
import {
  deciding,
  info,
  notMeasured,
  ok,
  optional,
  optionalList,
  warning,
  type Conclusion,
  type Instance,
  type Proof,
} from './rule.ts';
import { shared } from './shared-limits.ts';

const closed = within(netstat.member('TcpExt_TCPToZeroWindowAdv'));

/** What the threads of the processes that read sockets did in the window. */
export const threadSignals = {
  ran: optionalList(rate(readerCpuSeconds)),
  waited: optionalList(rate(readerWaitSeconds)),
  doing: optionalList(peak(readerDoing)),
  allowed: optionalList(value(readerAllowed)),
  cgroups: optionalList(value(readerCgroup)),
  periods: optionalList(increase(cgroupPeriods)),
  throttled: optionalList(increase(cgroupThrottledPeriods)),
  quotas: optionalList(value(cgroupQuota)),
  stalls: optionalList(rate(cgroupWaiting)),
} as const;

/** What the rules about readers (PKT0411 to PKT0415) ask of a host: who loses, and what his threads did meanwhile. */
export const readerSignals = {
  full: within(netstat.member('Udp_RcvbufErrors')),
  full6: deciding(within(netstat.member('Udp6_RcvbufErrors'))),
  memory: optional(within(netstat.member('Udp_MemErrors'))),
  memory6: optional(within(netstat.member('Udp6_MemErrors'))),
  errors: optional(within(netstat.member('Udp_InErrors'))),
  errors6: optional(within(netstat.member('Udp6_InErrors'))),
  overflows: deciding(within(netstat.member('TcpExt_ListenOverflows'))),
  overflowsPerSecond: optional(rate(netstat.member('TcpExt_ListenOverflows'))),
  closed: deciding(closed),
  delivered: optional(udp('InDatagrams')),
  lostShare: optional(overflowedShare),
  lostPerSecond: optional(overflowedPerSecond),
  closedShare: optional(ratio(closed, clampMin(segmentsReceived, 1))),
  closedPerSecond: optional(rate(netstat.member('TcpExt_TCPToZeroWindowAdv'))),
  socketDrops: optionalList(within(udpSocketDrops)),
  listenerDrops: optionalList(within(listenerDrops)),
  queues: optionalList(peak(acceptQueue)),
  limitsOf: optionalList(value(acceptQueueLimit)),
  unread: optionalList(peak(tcpSocketReceiveQueue)),
  waiting: optionalList(peak(tcpSocketSendQueue)),
  owners: optionalList(holdersOfSockets),
  ...threadSignals,
} as const;

export const readerThresholds = {
  count: {
    value: shared.datagramsMissed,
    unit: 'events',
    help: 'Datagrams lost, connection attempts dropped or windows closed from which it is asked why their reader is late.',
    source: 'as PKT0405 and PKT0406',
  },
  throttled: {
    value: 0.1,
    unit: 'ratio',
    help: 'Share of the periods of its quota in which a reader was stopped, from which that is the reason.',
    source: 'judgement: a period is 100 ms, and one stop in a second is longer than most buffers last',
  },
  waited: {
    value: 0.2,
    unit: 'ratio',
    help: 'Share of the time that a thread was ready and waited for a CPU, from which that is the reason.',
    source: 'judgement: as much as a fifth of the traffic has to be bridged by the buffer',
  },
  busy: {
    value: shared.shortOfTime,
    unit: 'ratio',
    help: 'Share of the time that a thread ran or wanted to, from which its own work is the reason.',
    source: 'as PKT0102: above it queues grow by chance alone',
  },
} as const;

interface LateReaders {
  readonly reader: LateReader;
  readonly time: ReaderTime;
  /** Processes that are late for the same reason, this one first. */
  readonly pids: readonly string[];
  /** Nothing that would have told another reason is missing. */
  readonly sure: boolean;
}

interface SlowReaderLimits {
  readonly count: number;
  readonly throttled: number;
  readonly waited: number;
  readonly busy: number;
}

/** Signals without which a reason may look like another. */
const told = ['ran', 'waited', 'doing', 'cgroups', 'periods', 'throttled'];

/** What each reason adds to what all of them say. */
interface LateReport<M extends string, K extends string> {
  readonly message: M;
  readonly args: Readonly<Record<string, Argument>>;
  readonly evidence: Proof<K>;
  readonly remedies: readonly Advice[];
}

/** The finding about the reader that loses most for this reason, or what is to be said in its place. */
export function tellLate<const M extends string, const K extends string>(
  fates: readonly Fate[],
  read: ReaderReadings,
  limits: SlowReaderLimits,
  at: Instance,
  tell: (late: LateReaders) => LateReport<M, K>,
): Conclusion<M, K> {
  const found = lateBecause(fates, read, limits, at);
  if ('instead' in found) return found.instead;
  const { reader, pids, sure } = found.late;
  const { args, ...rest } = tell(found.late);
  return (reader.material === false ? info : warning)({
    ...rest,
    certainty: sure && reader.material !== undefined ? 'measured' : 'correlated',
    args: { process: reader.name, trouble: troubleOf(reader), lostThings: lostThings[reader.kind], ...args },
    place: { pids },
    impact: reader.kind === 'tcp' ? {} : { lostPerSecond: reader.perSecond ?? reader.count / at.seconds },
  });
}

function lateBecause(
  fates: readonly Fate[],
  read: ReaderReadings,
  limits: SlowReaderLimits,
  at: Instance,
): { readonly late: LateReaders } | { readonly instead: Conclusion<never, never> } {
  const { count, throttled, waited, busy } = limits;
  const { readers, unnamed } = lateReaders(read, { count, ...shared.late }, at.unread);
  const judged = readers.map((reader) => ({ reader, time: timeOf(reader.pid, read, { throttled, waited, busy }) }));
  const found = judged
    .filter(({ time }) => time.fate !== undefined && fates.includes(time.fate))
    .sort((a, b) => b.reader.count - a.reader.count);
  const [worst] = found;
  const blind = told.some((name) => at.unread.has(name));
  if (worst === undefined) {
    if (unnamed) return { instead: notMeasured('something is lost at a socket, and whose it is could not be told') };
    const untold = judged.find(({ time }) => time.fate === undefined || blind);
    if (untold !== undefined)
      return { instead: notMeasured(`what the threads of ${untold.reader.name} did in the window could not be told`) };
    return { instead: ok() };
  }
  return { late: { ...worst, pids: [...new Set(found.map(({ reader }) => reader.pid))], sure: !blind } };
}

const reasons: Readonly<Record<Fate, readonly [code: string, why: string] | undefined>> = {
  throttled: ['PKT0412', 'its CPU quota stops it'],
  waiting: ['PKT0411', 'it waits for a CPU'],
  busy: ['PKT0413', 'its own work takes all its time'],
  stopped: ['PKT0414', 'it is stopped, by a signal or a debugger'],
  blocked: ['PKT0414', 'it waits for something else than its socket'],
  // Only then is a larger buffer the cure.
  bursty: undefined,
};

/** Why the owner of a socket does not read it in time; undefined where that could not be told. */
export function fateOf(pid: string | undefined, read: ThreadReadings): Fate | undefined {
  if (pid === undefined) return undefined;
  const { throttled, waited, busy } = readerThresholds;
  return timeOf(pid, read, { throttled: throttled.value, waited: waited.value, busy: busy.value }).fate;
}

/** Why the owner of a socket does not read it in time, as the first thing to do: no buffer makes up for that. */
export function readerFirst(pid: string | undefined, read: ThreadReadings): readonly Advice[] {
  const fate = fateOf(pid, read);
  const reason = fate === undefined ? undefined : reasons[fate];
  if (reason === undefined) return [];
  const [code, why] = reason;
  return [
    {
      action: `Pid ${pid} does not read in time because ${why} (${code}): mend that first, no buffer makes up for it.`,
      command: `for t in /proc/${pid}/task/*; do grep -H . $t/comm $t/schedstat $t/wchan; done; cat /proc/${pid}/cgroup`,
      verify: 'pktcost diagnose --window 10s',
    },
  ];
}

/** What the rate of the loss counts. */
const lostThings: Readonly<Record<LateReader['kind'], string>> = {
  udp: 'datagrams',
  listener: 'connection attempts',
  tcp: '',
};

/** What is lost, in words. */
function troubleOf({ kind, count, socket }: LateReader): string {
  const many = count.toLocaleString('en-US');
  if (kind === 'udp') return `${many} datagrams were lost at ${socket}`;
  return kind === 'listener'
    ? `${many} connection attempts were dropped at ${socket}`
    : `the receive window of ${socket} closed`;
}

export const readerAlert = {
  none: 'how the threads of a process spend their time, and which socket it does not read, only the host itself tells',
} as const;
