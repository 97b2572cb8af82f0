import { culprit } from './listeners.ts';
import { addUp, type Signal } from './signal.ts';
import { clientOf, endpoint, loserOf, ownerOf, risen } from './sockets.ts';

/** What the threads of processes did; absent where not read. */
export interface ThreadReadings {
  readonly ran: readonly Signal[];
  readonly waited: readonly Signal[];
  readonly doing: readonly Signal[];
  readonly allowed: readonly Signal[];
  readonly cgroups: readonly Signal[];
  readonly periods: readonly Signal[];
  readonly throttled: readonly Signal[];
  readonly quotas: readonly Signal[];
  readonly stalls: readonly Signal[];
}

/** Counters and sockets of one namespace, and what the threads of their owners did; absent where not read. */
export interface ReaderReadings extends ThreadReadings {
  readonly full: Signal;
  readonly full6: Signal | undefined;
  readonly memory: Signal | undefined;
  readonly memory6: Signal | undefined;
  readonly errors: Signal | undefined;
  readonly errors6: Signal | undefined;
  readonly overflows: Signal | undefined;
  readonly overflowsPerSecond: Signal | undefined;
  readonly closed: Signal | undefined;
  readonly socketDrops: readonly Signal[];
  readonly listenerDrops: readonly Signal[];
  readonly queues: readonly Signal[];
  readonly limitsOf: readonly Signal[];
  readonly unread: readonly Signal[];
  readonly waiting: readonly Signal[];
  readonly delivered: Signal | undefined;
  readonly lostShare: Signal | undefined;
  readonly lostPerSecond: Signal | undefined;
  readonly closedShare: Signal | undefined;
  readonly closedPerSecond: Signal | undefined;
  readonly owners: readonly Signal[];
}

/** A process that does not read in time what its socket holds. */
export interface LateReader {
  readonly inode: string | undefined;
  readonly pid: string;
  /** `nginx (pid 812)`. */
  readonly name: string;
  readonly socket: string;
  readonly kind: 'udp' | 'listener' | 'tcp';
  /** Datagrams lost, connection attempts dropped, windows closed in the window. */
  readonly count: number;
  /** The rate by the times at which the counter was read; undefined where only the count is known. */
  readonly perSecond?: number | undefined;
  /** It is more than a few: what PKT0405, PKT0401 and PKT0406 warn of. Undefined where of how many is not known. */
  readonly material: boolean | undefined;
}

/** From which trouble is more than a few. */
export interface LateLimits {
  readonly count: number;
  readonly lostShare: number;
  readonly lostPerSecond: number;
  readonly closedShare: number;
  readonly closedPerSecond: number;
}

/** The process behind each kind of trouble; unnamed where there is trouble and nobody can be named. */
export function lateReaders(
  read: ReaderReadings,
  limits: LateLimits,
  unread: ReadonlySet<string>,
): { readonly readers: readonly LateReader[]; readonly unnamed: boolean } {
  const { count } = limits;
  const readers: LateReader[] = [];
  let unnamed = false;
  const add = (
    kind: LateReader['kind'],
    found: { inode?: string; socket: string } | undefined,
    value: number,
    material: boolean | undefined,
  ): void => {
    const owner = found === undefined ? undefined : ownerOf(found.inode, read.owners);
    if (found === undefined || owner?.pid === undefined) unnamed = true;
    else
      readers.push({
        inode: found.inode,
        pid: owner.pid,
        name: owner.name,
        socket: found.socket,
        kind,
        count: value,
        material,
      });
  };
  const of = (signal: Signal | undefined): { inode?: string; socket: string } | undefined => {
    const inode = signal?.labels['inode'];
    if (signal === undefined || inode === undefined) return undefined;
    return { inode, socket: endpoint(signal.labels) };
  };
  const lost = addUp(read.full, read.full6);
  if (lost >= count) {
    const refused = addUp(read.memory, read.memory6);
    const { socket } = loserOf(read.socketDrops, {
      lost: lost + refused,
      turnedAway: read.errors === undefined ? undefined : Math.max(0, addUp(read.errors, read.errors6) - lost),
      partly: ['full6', 'memory', 'memory6'].some((name) => unread.has(name)),
    });
    const often = atLeast(read.lostPerSecond, limits.lostPerSecond) === true;
    // Without what was delivered the share is of the lost alone.
    const many = read.delivered === undefined ? undefined : atLeast(read.lostShare, limits.lostShare);
    add('udp', of(socket), lost, often || many);
  }
  const refusals = read.overflows?.value ?? 0;
  if (refusals >= count) {
    const listener = culprit(read);
    if (listener?.owner.pid === undefined) unnamed = true;
    else
      readers.push({
        inode: undefined,
        material: true,
        pid: listener.owner.pid,
        name: listener.owner.name,
        socket: listener.name,
        kind: 'listener',
        count: refusals,
        perSecond: read.overflowsPerSecond?.value,
      });
  }
  const closed = read.closed?.value ?? 0;
  if (closed >= count) {
    const behind = risen(read.unread);
    // Whoever waits for his own client reads as fast as that one takes it.
    const slow = behind.find(({ labels }) => clientOf(labels['inode'], read.waiting, read.owners) === undefined);
    const often = atLeast(read.closedPerSecond, limits.closedPerSecond) !== false;
    if (slow !== undefined || behind.length === 0)
      add('tcp', of(slow), closed, often && atLeast(read.closedShare, limits.closedShare));
  }
  return { readers, unnamed };
}

/** Undefined where it was not read. */
function atLeast(signal: Signal | undefined, limit: number): boolean | undefined {
  return signal === undefined ? undefined : signal.value >= limit;
}

export interface ReaderLimits {
  readonly throttled: number;
  readonly waited: number;
  readonly busy: number;
}

/** What a thread did with its time, as shares of the window. */
export interface ThreadTime {
  readonly tid: string;
  readonly comm: string;
  readonly ran: number;
  readonly waited: number;
}

/** A group whose quota stopped a process. */
export interface Throttle {
  readonly cgroup: string;
  /** Of the periods in which it wanted to run. */
  readonly share: number;
  readonly quota: number | undefined;
}

export type Fate = 'throttled' | 'waiting' | 'busy' | 'stopped' | 'blocked' | 'bursty';

export interface ReaderTime {
  /** Why it does not read; undefined where what would tell could not be read. */
  readonly fate: Fate | undefined;
  readonly thread: ThreadTime | undefined;
  readonly threads: number;
  /** Threads that are busy as well. */
  readonly busyThreads: number;
  readonly throttle: Throttle | undefined;
  readonly allowed: string;
  readonly lastCpus: readonly string[];
  /** Where its threads slept. */
  readonly sleeps: readonly string[];
  /** The largest share of the window in which its groups waited for I/O or memory, and for which. */
  readonly stall: { readonly resource: string; readonly share: number } | undefined;
}

/** What the threads of a process did: one answer, the first that holds, since each hides those after it. */
export function timeOf(pid: string, read: ThreadReadings, limits: ReaderLimits): ReaderTime {
  const mine = (points: readonly Signal[]): readonly Signal[] => points.filter(({ labels }) => labels['pid'] === pid);
  const { throttled, waited, busy } = limits;
  const threads = threadsOf(mine(read.ran), mine(read.waited));
  const thread = threads[0];
  const throttle = throttleOf(mine(read.cgroups), read);
  const seen = mine(read.doing);
  const sleeping = seen.filter(({ labels }) => ['S', 'D', 'T', 't'].includes(labels['state'] ?? ''));
  const ofThreads = new Set(seen.map(({ labels }) => labels['tid']));
  const stopped = new Set(seen.flatMap(({ labels }) => (labels['waits'] === 'stopped' ? [labels['tid']] : [])));
  const groups = new Set(mine(read.cgroups).map(({ labels }) => labels['cgroup']));
  const [stall] = read.stalls
    .filter(({ labels }) => groups.has(labels['cgroup']))
    .sort((a, b) => b.value - a.value)
    .map(({ labels, value }) => ({ resource: labels['resource'] ?? '', share: value }));
  const ownWaits = mine(read.waited);
  const fate = ((): Fate | undefined => {
    if (throttle !== undefined && throttle.share >= throttled) return 'throttled';
    if (thread === undefined) return undefined;
    const wanted = thread.ran + thread.waited;
    if (thread.waited >= waited && thread.waited >= 0.3 * wanted) return 'waiting';
    if (wanted >= busy) return 'busy';
    // A debugger may stop one of many.
    if (stopped.size > 0 && stopped.size === ofThreads.size) return 'stopped';
    if (ownWaits.length === 0) return undefined;
    const waits = sleeping.map(({ labels }) => labels['waits'] ?? '');
    if (waits.some((each) => each === 'receive' || each === 'any')) return 'bursty';
    return waits.includes('other') ? 'blocked' : undefined;
  })();
  return {
    fate,
    thread,
    threads: threads.length,
    busyThreads: threads.filter(({ ran, waited: late }) => ran + late >= busy).length,
    throttle,
    allowed: mine(read.allowed)[0]?.labels['cpus'] ?? '',
    lastCpus: [...new Set(seen.flatMap(({ labels }) => labels['cpu'] ?? []))],
    sleeps: [
      ...new Set(
        sleeping.flatMap(({ labels }) =>
          labels['waits'] === (fate === 'stopped' ? 'stopped' : 'other') ? (labels['in'] ?? []) : [],
        ),
      ),
    ],
    stall,
  };
}

function threadsOf(ran: readonly Signal[], waited: readonly Signal[]): readonly ThreadTime[] {
  const found = new Map<string, ThreadTime>();
  for (const { labels, value } of ran)
    found.set(labels['tid'] ?? '', { tid: labels['tid'] ?? '', comm: labels['comm'] ?? '', ran: value, waited: 0 });
  for (const { labels, value } of waited) {
    const tid = labels['tid'] ?? '';
    found.set(tid, { ...(found.get(tid) ?? { tid, comm: labels['comm'] ?? '', ran: 0 }), waited: value });
  }
  return [...found.values()].sort((a, b) => b.ran + b.waited - a.ran - a.waited);
}

function throttleOf(groups: readonly Signal[], read: ThreadReadings): Throttle | undefined {
  const at = (points: readonly Signal[], cgroup: string): number | undefined =>
    points.find(({ labels }) => labels['cgroup'] === cgroup)?.value;
  const found = [...new Set(groups.map(({ labels }) => labels['cgroup'] ?? ''))].flatMap((cgroup) => {
    const [periods, stopped] = [at(read.periods, cgroup), at(read.throttled, cgroup)];
    if (periods === undefined || stopped === undefined || periods === 0) return [];
    return [{ cgroup, share: stopped / periods, quota: at(read.quotas, cgroup) }];
  });
  return found.sort((a, b) => b.share - a.share)[0];
}

/** `container 0123456789ab`, `service nginx.service`, or the group itself: what people call it. */
export function unitOf(cgroup: string): string {
  const id = /(?:^|[/:-])([0-9a-f]{12})[0-9a-f]{52}(?:\.scope)?(?:\/|$)/.exec(cgroup)?.[1];
  const pod = /pod([0-9a-f]{8}[-_][0-9a-f_-]{27})/.exec(cgroup)?.[1]?.replaceAll('_', '-');
  if (id !== undefined) return `container ${id}${pod === undefined ? '' : ` of pod ${pod}`}`;
  if (pod !== undefined) return `pod ${pod}`;
  const service = /([^/]+\.(?:service|slice|scope))$/.exec(cgroup)?.[1];
  return service === undefined ? `control group ${cgroup}` : service;
}

/** A group whose sockets were refused memory. */
export interface MemoryRefused {
  readonly cgroup: string;
  readonly version: string;
  /** Undefined where only the level tells. */
  readonly times: number | undefined;
}

/** The sockets of a group have all they may have: the kernel charges whole pages, and each CPU holds a few. */
const ALL_USED = 0.9;

/** The group of a process that was refused most, or has nothing left; undefined where none was, or it could not be told. */
export function groupRefused(
  pid: string | undefined,
  groups: readonly Signal[],
  refused: readonly Signal[],
  used: readonly Signal[],
): MemoryRefused | undefined {
  if (pid === undefined) return undefined;
  const mine = new Set(groups.filter(({ labels }) => labels['pid'] === pid).map(({ labels }) => labels['cgroup']));
  const ofMine = (points: readonly Signal[]): readonly Signal[] =>
    points.filter(({ labels }) => mine.has(labels['cgroup']));
  const [most] = risen(ofMine(refused));
  if (most !== undefined)
    return { cgroup: most.labels['cgroup'] ?? '', version: most.labels['version'] ?? '', times: most.value };
  const [fullest] = risen(ofMine(used)).filter(({ value }) => value >= ALL_USED);
  return fullest === undefined
    ? undefined
    : { cgroup: fullest.labels['cgroup'] ?? '', version: 'v1', times: undefined };
}
