import { isSince } from '../base/release.ts';
import { AT_LIMIT } from '../facts/datagrams.ts';
import { addUp, type Signal } from '../facts/signal.ts';
import { endpoint, ownerOf, risen } from '../facts/sockets.ts';
import { listed, worded } from './finding.ts';
import { memoryLimits, readFaster } from './remedies/buffers.ts';
import { inNetns } from './remedies/shell.ts';
import { info, warning, type Conclusion, type Instance } from './rule.ts';

/** What PKT0405 says where neither a full buffer nor want of memory was counted. */
interface UnplacedReadings {
  readonly errors: Signal | undefined;
  readonly errors6: Signal | undefined;
  readonly delivered: Signal | undefined;
  readonly delivered6: Signal | undefined;
  readonly checksum: Signal | undefined;
  readonly checksum6: Signal | undefined;
  readonly memory: Signal | undefined;
  readonly memory6: Signal | undefined;
  readonly pages: Signal | undefined;
  readonly most: Signal | undefined;
  readonly kernel: Signal | undefined;
  readonly socketDrops: readonly Signal[];
  readonly owners: readonly Signal[];
}

/** What of InErrors no other counter has: filters of sockets, policies of IPsec, and what is not counted here. */
export function unexplained(
  { errors, errors6, memory, memory6, checksum, checksum6 }: UnplacedReadings,
  full: number,
): number {
  return Math.max(0, addUp(errors, errors6) - full - addUp(memory, memory6) - addUp(checksum, checksum6));
}

export function sayUnexplained(
  read: UnplacedReadings,
  rest: number,
  at: Instance,
): Conclusion<'unexplained', 'errors' | 'errors6' | 'full' | 'memory' | 'checksum' | 'delivered'> {
  const { memory, checksum, pages, most } = read;
  const ruledOut = [
    'a full buffer',
    ...(memory === undefined ? [] : ['want of memory']),
    ...(checksum === undefined ? [] : ['a wrong checksum']),
  ];
  const level =
    pages === undefined || most === undefined
      ? ''
      : `; the sockets hold ${pages.value.toLocaleString('en-US')} of ${most.value.toLocaleString('en-US')} pages now`;
  const left = [
    ['filter', 'The filters of their sockets turned them away'],
    ['ipsec', 'a policy of IPsec did'],
    ...(memory === undefined ? [['memory', `udp_mem was reached, which this kernel does not count${level}`]] : []),
    ...(checksum === undefined ? [['checksum', 'their checksum was wrong']] : []),
  ] as const;
  const leftText = left.map(([, words]) => words);
  return info({
    certainty: 'possible',
    message: 'unexplained',
    args: {
      rest,
      share: rest / (rest + addUp(read.delivered, read.delivered6)),
      rate: rest / at.seconds,
      ruledOut: listed(
        ruledOut,
        ruledOut.length === 1 ? `${ruledOut.join('')} is not why` : `neither ${ruledOut.join(' nor ')} is why`,
      ),
      left: listed(
        left.map(([name]) => name),
        `${leftText.slice(0, -1).join(', ')}, or ${leftText.at(-1) ?? ''}`,
      ),
    },
    evidence: { errors: null, errors6: null, full: null, memory: null, checksum: null, delivered: null },
    remedies: [
      {
        action: 'See which socket drops them (its own counter, d in skmem) and whether a filter is attached to it.',
        command: inNetns(at.netns, "ss -uamnp | grep -B1 'd[1-9][0-9]*)'; ss -0 -b; ip xfrm policy"),
        verify: inNetns(at.netns, "nstat -az | grep '^Udp.*Errors'"),
      },
    ],
  });
}

/** The memory of all UDP sockets at its limit while nothing was counted as refused; told of the host once. */
export function byMemory(
  read: UnplacedReadings,
  at: Instance,
): Conclusion<'memory-full', 'pages' | 'most'> | undefined {
  const { pages, most } = read;
  if (countsRefused(read.memory, read.kernel, at)) return undefined;
  if (at.netns !== '' || pages === undefined || most === undefined || most.value === 0) return undefined;
  if (pages.value < most.value * AT_LIMIT) return undefined;
  const said = {
    certainty: 'possible',
    message: 'memory-full',
    args: { pages: pages.value, most: most.value },
    evidence: { pages: ['>=', most.value * AT_LIMIT], most: null },
    remedies: [memoryLimits],
  } as const;
  // Over two samples the counters say more.
  return at.oneSample ? warning(said) : info(said);
}

/** Whether what was refused for memory during the window is in MemErrors: since 5.14, and since 6.18 only a part of it. */
export function countsRefused(memory: Signal | undefined, kernel: Signal | undefined, at: Instance): boolean {
  return !at.oneSample && memory !== undefined && isSince(kernel?.labels['release'], '6.18') === false;
}

/** What sockets say of themselves, where the counters of the namespace could not be read. */
export function bySockets(
  { socketDrops, owners }: UnplacedReadings,
  limits: { readonly lost: number },
  at: Instance,
): Conclusion<'sockets', 'socketDrops'> | undefined {
  const sockets = risen(socketDrops);
  if (sockets.length === 0) return undefined;
  const lost = sockets.reduce((total, { value }) => total + value, 0);
  const told = sockets.slice(0, MOST_LISTED).map(({ labels, value }) => ({
    socket: endpoint(labels),
    process: ownerOf(labels['inode'], owners).name,
    lost: value,
  }));
  const which = told.map((each) => `${each.socket} of ${each.process} ${each.lost.toLocaleString('en-US')}`).join(', ');
  const said = {
    certainty: 'possible',
    message: 'sockets',
    args: { lost, which: worded(told, sockets.length > MOST_LISTED ? `${which} and others` : which) },
    evidence: { socketDrops: ['>', 0] },
    remedies: readFaster(at.netns, undefined),
  } as const;
  // Over two samples this namespace was looked into, and its counters failed: that is what is to be told.
  return at.oneSample && lost >= limits.lost ? warning(said) : info(said);
}

const MOST_LISTED = 3;
