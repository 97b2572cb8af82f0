/**
 * The host in pieces, one for each collector and namespace. A sample reads again what is asked for, carries over the rest as
 * it was read, and is put together only when somebody looks at it: a watch of many windows in which little happens is cheap.
 */
import { runCollector, type Collector } from '../collectors/collector.ts';
import { ownersOf } from '../collectors/owners.ts';
import { overlay, type Reader } from '../collectors/reader.ts';
import { readersOf } from '../collectors/readers.ts';
import type { Failure } from '../base/result.ts';
import type { Steps } from '../base/steps.ts';
import { gapOf, OWN_NETNS, Snapshot, type Keep } from '../metrics/snapshot.ts';
import { monotonicSeconds } from './live-reader.ts';
import { recordingReader, type Call, type SampleRecording } from './recording.ts';
import { forEachNamespace, noteUnread, noteUnvisited, type NamespaceView } from './take-sample.ts';

export interface Pieces {
  readonly reader: Reader;
  readonly collectors: readonly Collector[];
  readonly keep: Keep;
  readonly namespaces: () => readonly NamespaceView[];
}

/** What one collector read in one namespace, and what it made of it. */
interface FilePiece {
  readonly series: Snapshot;
  readonly calls: readonly Call[];
  /** Seconds since then, in which the same was read once more. */
  readonly later: number;
}

interface NamespacePieces {
  readonly name: string;
  readonly path: string;
  readonly refused: Failure | null;
  readonly pieces: ReadonlyMap<string, FilePiece>;
}

/** Whether a piece is to be read again. */
export type Again = (collector: string, netns: string) => boolean;

/** Readings that differ from those of an earlier sample: names of metrics, by namespace. */
export type Moved = ReadonlyMap<string, ReadonlySet<string>>;

export class PiecewiseSample {
  readonly takenAt: string;
  /** CLOCK_MONOTONIC seconds at its beginning. */
  readonly at: number;
  readonly own: NamespacePieces;
  readonly others: readonly NamespacePieces[];
  #snapshot: Snapshot | undefined;
  readonly #some = new Map<string, Snapshot>();

  constructor(taken: { takenAt: string; at: number }, own: NamespacePieces, others: readonly NamespacePieces[]) {
    this.takenAt = taken.takenAt;
    this.at = taken.at;
    this.own = own;
    this.others = others;
  }

  /** Everything, as if it had been read in one pass. */
  snapshot(): Snapshot {
    return (this.#snapshot ??= putTogether(this, this.own, this.others));
  }

  /** What these collectors read, in pktcost's own namespace and in those named. */
  within(names: ReadonlySet<string>, ids: ReadonlySet<string>): Snapshot {
    const others = this.others.filter(({ name }) => names.has(name));
    return putTogether(this, this.own, others, ids);
  }

  /** What these collectors read in pktcost's own namespace; asked twice, as the end of a window and as the beginning of the next. */
  some(ids: readonly string[]): Snapshot {
    const key = ids.join();
    const part = this.#some.get(key) ?? putTogether(this, this.own, [], new Set(ids));
    this.#some.set(key, part);
    return part;
  }

  /** For a bundle: what was asked and answered, in the order of one pass. */
  recording(): SampleRecording {
    const callsOf = ({ pieces }: NamespacePieces): Call[] =>
      [...pieces.values()].flatMap(({ calls, later }) =>
        later === 0 ? calls : calls.map((call) => ({ ...call, at: call.at + later })),
      );
    return {
      takenAt: this.takenAt,
      at: this.at,
      calls: callsOf(this.own),
      namespaces: this.others.map((each) => ({
        name: each.name,
        path: each.path,
        refused: each.refused,
        calls: callsOf(each),
      })),
      milliseconds: this.snapshot().collectors.map(({ milliseconds }) => milliseconds),
    };
  }

  /** Which metrics, of those to look at, have other series or other values than before; all of a namespace that is new. */
  movedSince(before: PiecewiseSample, of: (metric: string) => boolean): Moved {
    const earlier = new Map([before.own, ...before.others].map((each) => [each.name, each.pieces]));
    const moved = new Map<string, ReadonlySet<string>>();
    for (const { name, pieces } of [this.own, ...this.others]) {
      const names = new Set<string>();
      for (const [id, piece] of pieces) {
        const was = earlier.get(name)?.get(id);
        if (was?.series !== piece.series)
          for (const metric of piece.series.differing(was?.series, of)) names.add(metric);
      }
      if (names.size > 0) moved.set(name, names);
    }
    return moved;
  }
}

/** @param ids the collectors whose pieces are wanted; all, if not given */
function putTogether(
  { takenAt, at }: Pick<PiecewiseSample, 'takenAt' | 'at'>,
  own: NamespacePieces,
  others: readonly NamespacePieces[],
  ids?: ReadonlySet<string>,
): Snapshot {
  const whole = new Snapshot(takenAt, at);
  const last = new Set(['owners', 'readers']);
  const passed = (id: string): boolean => last.has(id) || (ids !== undefined && id !== REFUSED && !ids.has(id));
  const absorb = (id: string, { series, later }: FilePiece): boolean => passed(id) || whole.absorb(series, later);
  for (const { pieces } of [own, ...others]) for (const [id, piece] of pieces) if (!absorb(id, piece)) break;
  for (const id of last) {
    const piece = own.pieces.get(id);
    if (piece !== undefined && ids?.has(id) !== false) whole.absorb(piece.series, piece.later);
  }
  return whole;
}

/** Stands for the pieces of a namespace that could not be entered. */
const REFUSED = '';
const noPieces: NamespacePieces = { name: OWN_NETNS, path: '', refused: null, pieces: new Map() };
/** What the owners of sockets are looked for from. */
const sockets: ReadonlySet<string> = new Set(['sockets', 'packet', 'rawsockets']);

/** A sample in which these pieces were read again, and all that an earlier one does not have. */
export function* samplePieces(host: Pieces, again: Again, before?: PiecewiseSample): Steps<PiecewiseSample> {
  const { reader, collectors, namespaces } = host;
  const taken = { takenAt: new Date().toISOString(), at: monotonicSeconds() };
  const own = new Map<string, FilePiece>();
  for (const collector of collectors) {
    own.set(collector.id, pieceOf(host, collector, reader, OWN_NETNS, before?.own, again));
    yield;
  }
  const views = namespaces();
  const others: NamespacePieces[] = [];
  for (const view of views) {
    others.push(piecesIn(host, view, views.length, before, again));
    yield;
  }
  const sample = new PiecewiseSample(taken, { ...noPieces, pieces: own }, others);
  return withOwners(host, sample, before, again);
}

function piecesIn(
  host: Pieces,
  { name, path, visit }: NamespaceView,
  count: number,
  before: PiecewiseSample | undefined,
  again: Again,
): NamespacePieces {
  const earlier = before?.others.find((each) => each.name === name && each.path === path);
  const { perNamespace, tooMany } = forEachNamespace(host.collectors, count);
  const pieces = new Map<string, FilePiece>();
  const visited = visit((there) => {
    const asleep = earlier !== undefined && sleeps(host, there, earlier, pieces, again);
    for (const collector of perNamespace) {
      const known = pieces.get(collector.id) ?? (asleep ? earlier.pieces.get(collector.id) : undefined);
      pieces.delete(collector.id);
      pieces.set(collector.id, known ?? pieceOf(host, collector, there, name, earlier, again));
    }
  });
  if (visited.ok) {
    for (const collector of tooMany)
      pieces.set(
        collector.id,
        noted((series) => {
          noteUnread(series, collector, name);
        }),
      );
    return { name, path, refused: null, pieces };
  }
  const refused = noted((series) => {
    noteUnvisited(series, perNamespace, name, gapOf(path, visited));
  });
  return { name, path, refused: visited, pieces: new Map([[REFUSED, refused]]) };
}

/** Without a packet on any of its devices, and none that wanted to be sent, nothing of a namespace moves that counts packets. */
const stir: readonly string[] = ['netdev', 'netstat'];

/** Whether nothing went on in a namespace since, where no more is asked of it than what is asked each time; what was read is in `pieces`. */
function sleeps(
  host: Pieces,
  there: Reader,
  earlier: NamespacePieces,
  pieces: Map<string, FilePiece>,
  again: Again,
): boolean {
  const { name } = earlier;
  const inside = host.collectors.filter(({ scope }) => scope === 'netns');
  if (!stir.every((id) => again(id, name)) || inside.every(({ id }) => again(id, name))) return false;
  for (const collector of inside.filter(({ id }) => stir.includes(id)))
    pieces.set(collector.id, pieceOf(host, collector, there, name, earlier, again));
  return stir.every((id) => pieces.get(id)?.series === earlier.pieces.get(id)?.series);
}

function noted(note: (series: Snapshot) => void): FilePiece {
  const series = new Snapshot('', 0);
  note(series);
  return { series, calls: [], later: 0 };
}

function pieceOf(
  { keep }: Pieces,
  collector: Collector,
  reader: Reader,
  netns: string,
  before: NamespacePieces | undefined,
  again: Again,
): FilePiece {
  const earlier = before?.pieces.get(collector.id);
  if (earlier === undefined) return read(collector, reader, netns, keep);
  if (!again(collector.id, netns)) return earlier;
  const answers = new Map<string, Call>();
  const started = monotonicSeconds();
  if (readsTheSame(earlier.calls, reader, answers)) {
    const [first] = earlier.calls;
    return first === undefined ? earlier : { ...earlier, later: started - first.at };
  }
  return read(collector, overlay(reader, servedOnce(answers)), netns, keep);
}

function read(collector: Collector, reader: Reader, netns: string, keep: Keep): FilePiece {
  const calls: Call[] = [];
  const series = new Snapshot('', 0, keep);
  runCollector(collector, recordingReader(reader, calls), series, netns);
  return { series, calls, later: 0 };
}

/** What stays as it is for as long as the kernel runs, or only says whether to look for a file that is then looked for. */
const constant: ReadonlySet<string> = new Set(['sysconf', '/proc/sys/kernel/osrelease', '/proc/modules']);

/** Whether the host answers as it did; what it answered until then is in `answers`. */
function readsTheSame(calls: readonly Call[], reader: Reader, answers: Map<string, Call>): boolean {
  if (calls.some(({ op, path }) => (op === 'dump' || op === 'list') && !constant.has(path))) return false;
  for (const call of calls) {
    if (call.op === 'link') {
      const target = reader.link(call.path);
      if ((target.ok ? target.value : '') !== (call.answer.ok ? call.answer.value : '')) return false;
    }
    if (call.op !== 'read' || constant.has(call.path)) continue;
    const answer = reader.read(call.path);
    answers.set(call.path, { ...call, answer, at: reader.lastReadAt });
    const same =
      answer.ok && call.answer.ok
        ? Buffer.compare(answer.value, call.answer.value) === 0
        : !answer.ok && !call.answer.ok && answer.errno === call.answer.errno;
    if (!same) return false;
  }
  return true;
}

/** What was read a moment ago, in place of the first reading of it. */
function servedOnce(answers: Map<string, Call>): Parameters<typeof overlay>[1] {
  let lastReadAt: number | undefined;
  return {
    read: (path) => {
      const call = answers.get(path);
      answers.delete(path);
      lastReadAt = call?.at;
      return call?.op === 'read' ? call.answer : undefined;
    },
    get lastReadAt() {
      return lastReadAt;
    },
  };
}

/** The owners of the sockets and what keeps them: asked anew where the sockets were. */
function withOwners(
  { reader, keep }: Pieces,
  sample: PiecewiseSample,
  before: PiecewiseSample | undefined,
  again: Again,
): PiecewiseSample {
  const earlier = ['owners', 'readers'].map((id) => [id, before?.own.pieces.get(id)] as const);
  const asked = [sample.own, ...sample.others].some(({ name, pieces }) =>
    [...sockets].some((id) => pieces.get(id) !== undefined && (again(id, name) || isNew(before, name))),
  );
  const pieces = new Map(sample.own.pieces);
  const finished = (): PiecewiseSample => new PiecewiseSample(sample, { ...sample.own, pieces }, sample.others);
  if (!asked && earlier.every(([, piece]) => piece !== undefined)) {
    for (const [id, piece] of earlier) pieces.set(id, piece!);
    return finished();
  }
  pieces.set('owners', read(ownersOf(sample.snapshot()), reader, OWN_NETNS, keep));
  pieces.set('readers', read(readersOf(finished().snapshot()), reader, OWN_NETNS, keep));
  return finished();
}

function isNew(before: PiecewiseSample | undefined, netns: string): boolean {
  return before === undefined || (netns !== OWN_NETNS && !before.others.some(({ name }) => name === netns));
}
