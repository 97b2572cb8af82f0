import assert from 'node:assert/strict';

import type { Labels, Metric } from '../../src/metrics/metric.ts';
import type { Series, Snapshot } from '../../src/metrics/snapshot.ts';
import { Window } from '../../src/metrics/window.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import type { Finding } from '../../src/rules/finding.ts';
import { rules } from '../../src/rules/index.ts';
import type { Rule } from '../../src/rules/rule.ts';

/** What a rule asked a snapshot for; `everything` where that cannot be told. */
type Asked =
  | { readonly of: 'metric'; readonly metric: Metric }
  | { readonly of: 'collector' | 'reports'; readonly id: string }
  | { readonly of: 'namespaces' | 'everything' };

type Book = Map<string, Asked>;

interface Judged {
  readonly rule: Rule;
  readonly findings: readonly Finding[];
  readonly asked: readonly Asked[];
}

/** One of so many windows is judged as a whole as well, which has to come to the same. */
const CHECKED = 40;

/**
 * Judges windows of one host that are nearly the same, as with one file taken away. A rule that asks for nothing that differs from
 * the whole host's window finds what it found there; only the others are run.
 */
export class Judge {
  readonly findings: readonly Finding[];
  readonly #full: Window;
  readonly #ends: readonly End[];
  readonly #judged: readonly Judged[];
  #windows = 0;

  constructor(full: Window) {
    this.#full = full;
    this.#ends = [full.before, full.after].map((end) => new End(end));
    this.findings = evaluateRules(full, rules);
    const start = full.single ? full.sinceBoot().before : undefined;
    this.#judged = rules.map((rule) => {
      const book: Book = new Map();
      const findings = evaluateRules(new Watched(full, book, start), [rule]);
      return { rule, findings, asked: [...book.values()] };
    });
    assert.deepEqual(
      this.#judged.flatMap(({ findings }) => findings),
      this.findings,
    );
  }

  of(window: Window): readonly Finding[] {
    const same = this.#sameAs(window);
    const standing = new Set(this.#judged.filter(({ asked }) => asked.every(same)));
    const anew = this.#judged.flatMap((each) => (standing.has(each) ? [] : [each.rule]));
    const findings = [
      ...[...standing].flatMap((each) => each.findings),
      ...(anew.length === 0 ? [] : evaluateRules(window, anew)),
    ];
    this.#windows += 1;
    if (this.#windows % CHECKED === 0) assert.deepEqual(byCode(findings), byCode(evaluateRules(window, rules)));
    return findings;
  }

  #sameAs(window: Window): (asked: Asked) => boolean {
    const { single, uptime } = this.#full;
    if (single !== window.single || uptime !== window.uptime) return () => false;
    const ends = [window.before, window.after].map((end, at) => [this.#ends[at]!, end] as const);
    return sameAsked(single ? ends.slice(1) : ends);
  }
}

function byCode(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
}

/** A window that writes down what it is asked for. */
class Watched extends Window {
  readonly #start: Snapshot | undefined;

  constructor({ before, after, uptime, single }: Window, asked: Book, start: Snapshot | undefined) {
    const later = watched(after, asked);
    super(single ? later : watched(before, asked), later, uptime);
    this.#start = start === undefined ? undefined : watched(start, asked);
  }

  /** What it begins with is made of the end: of each metric's series at zero. */
  override sinceBoot(): Window {
    return new Window(this.#start ?? this.before, this.after, this.uptime);
  }
}

function watched(snapshot: Snapshot, book: Book): Snapshot {
  const note = (asked: Asked): void => {
    book.set(keyOf(asked), asked);
  };
  const noteMetric = (metric: Metric): void => {
    note({ of: 'metric', metric });
  };
  const noteReports = (id: string): void => {
    note({ of: 'reports', id });
  };
  const asking: Partial<Snapshot> = {
    series: (metric) => (noteMetric(metric), snapshot.series(metric)),
    get: (metric, labels) => (noteMetric(metric), snapshot.get(metric, labels)),
    count: (metric) => (noteMetric(metric), snapshot.count(metric)),
    lacking: (metric) => (noteMetric(metric), snapshot.lacking(metric)),
    unread: (metric) => (noteReports(metric.collector), snapshot.unread(metric)),
    reports: (id) => (noteReports(id), snapshot.reports(id)),
    collector: (id, netns) => (noteReports(id), snapshot.collector(id, netns)),
    namespaces: () => (note({ of: 'namespaces' }), snapshot.namespaces()),
    hasBeside: (metric, labels) => {
      note({ of: 'collector', id: metric.collector });
      return snapshot.hasBeside(metric, labels);
    },
    // Windows that differ in these have nothing in common.
    at: snapshot.at,
    takenAt: snapshot.takenAt,
  };
  return new Proxy(snapshot, {
    get: (target, name) => {
      if (name in asking) return Reflect.get(asking, name) as unknown;
      note({ of: 'everything' });
      return Reflect.get(target, name, target) as unknown;
    },
  });
}

/** One end of the whole host's window, against which the same end of many others is held. */
class End {
  readonly #snapshot: Snapshot;
  readonly #series = new Map<string, readonly Series[]>();
  readonly #reports = new Map<string, string>();

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  sameTime({ at, takenAt }: Snapshot): boolean {
    return at === this.#snapshot.at && takenAt === this.#snapshot.takenAt;
  }

  sameSeries(other: Snapshot, metric: Metric): boolean {
    if (this.#snapshot.count(metric) !== other.count(metric)) return false;
    const series = known(this.#series, metric.name, () => this.#snapshot.series(metric));
    const lacking = [this.#snapshot, other].map((each) => each.lacking(metric));
    if (!lacking.every(({ length }) => length === 0) && JSON.stringify(lacking[0]) !== JSON.stringify(lacking[1]))
      return false;
    return series.length === 0 || other.series(metric).every((each, at) => sameReading(each, series[at]!));
  }

  sameReports(other: Snapshot, id: string): boolean {
    return known(this.#reports, id, () => reportsText(this.#snapshot, id)) === reportsText(other, id);
  }

  /** Of everything that a collector read. */
  sameCollector(other: Snapshot, id: string): boolean {
    return [...this.#snapshot.metrics(), ...other.metrics()].every(
      (metric) => metric.collector !== id || this.sameSeries(other, metric),
    );
  }

  sameNamespaces(other: Snapshot): boolean {
    return [...this.#snapshot.namespaces()].join() === [...other.namespaces()].join();
  }
}

function known<T>(answers: Map<string, T>, key: string, find: () => T): T {
  const found = answers.get(key);
  if (found !== undefined) return found;
  const answer = find();
  answers.set(key, answer);
  return answer;
}

/** Whether the answer to what was asked is the same at both ends of a window as in the whole host's. */
function sameAsked(ends: readonly (readonly [End, Snapshot])[]): (asked: Asked) => boolean {
  const sameTime = ends.every(([was, is]) => was.sameTime(is));
  const sameOf = (asked: Asked): boolean => {
    if (asked.of === 'metric') return ends.every(([was, is]) => was.sameSeries(is, asked.metric));
    if (asked.of === 'collector') return ends.every(([was, is]) => was.sameCollector(is, asked.id));
    if (asked.of === 'reports') return ends.every(([was, is]) => was.sameReports(is, asked.id));
    return asked.of === 'namespaces' && ends.every(([was, is]) => was.sameNamespaces(is));
  };
  const answers = new Map<string, boolean>();
  return (asked) => sameTime && known(answers, keyOf(asked), () => sameOf(asked));
}

function keyOf(asked: Asked): string {
  if (asked.of === 'metric') return asked.metric.name;
  return 'id' in asked ? `${asked.of} ${asked.id}` : asked.of;
}

function sameReading(one: Series, other: Series): boolean {
  return (
    one.value === other.value &&
    one.at === other.at &&
    one.noStep === other.noStep &&
    (one.cells === other.cells || one.cells?.join() === other.cells?.join()) &&
    sameLabels(one.labels, other.labels)
  );
}

function sameLabels(one: Labels, other: Labels): boolean {
  for (const name in one) if (one[name] !== other[name]) return false;
  for (const name in other) if (one[name] === undefined) return false;
  return true;
}

function reportsText(snapshot: Snapshot, id: string): string {
  return JSON.stringify(snapshot.reports(id).map(({ netns, status, gaps }) => [netns, status, gaps]));
}
