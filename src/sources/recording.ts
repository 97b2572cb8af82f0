import { monotonicMs } from '../base/clock.ts';
import { overlay, type Reader } from '../collectors/reader.ts';
import type { Failure, Result } from '../base/result.ts';
import { atOnce, type Steps } from '../base/steps.ts';
import type { CollectorReport, Snapshot } from '../metrics/snapshot.ts';
import { sampleInSteps, type NamespaceView, type Sample } from './take-sample.ts';

interface Question {
  /** As the kernel names it; for a dump its name. */
  readonly path: string;
  /** CLOCK_MONOTONIC seconds at which the read began: rates are computed from it. */
  readonly at: number;
  readonly milliseconds: number;
}

/** One question to the host, and what it answered. */
export type Call =
  | (Question & { readonly op: 'read'; readonly answer: Result<Uint8Array> })
  | (Question & { readonly op: 'list'; readonly answer: Result<readonly string[]> })
  | (Question & { readonly op: 'link'; readonly answer: Result<string> })
  | (Question & { readonly op: 'dump'; readonly inodes: readonly number[]; readonly answer: Result<unknown> });

/** What was read inside one network namespace. */
export interface NamespaceRecording {
  readonly name: string;
  readonly path: string;
  readonly calls: readonly Call[];
  /** Why it could not be entered, or null. */
  readonly refused: Failure | null;
}

/** One pass over the host, with everything it answered, in the order it was asked. */
export interface SampleRecording {
  readonly takenAt: string;
  readonly at: number;
  readonly calls: readonly Call[];
  readonly namespaces: readonly NamespaceRecording[];
  /** How long each collector took, in the order of `Snapshot.collectors`: the one thing a replay cannot know. */
  readonly milliseconds: readonly number[];
}

export interface Recorded {
  readonly snapshot: Snapshot;
  readonly recording: SampleRecording;
}

/** Takes a sample and keeps what the host answered. The bytes are kept as they came: nothing is copied or hashed now. */
export function recordSample(sample: Sample): Recorded {
  return atOnce(recordInSteps(sample));
}

export function* recordInSteps(sample: Sample): Steps<Recorded> {
  const calls: Call[] = [];
  const namespaces: NamespaceRecording[] = [];
  const snapshot = yield* sampleInSteps({
    ...sample,
    reader: recordingReader(sample.reader, calls),
    namespaces: (sample.namespaces ?? []).map((view) => recordedView(view, namespaces)),
  });
  const milliseconds = snapshot.collectors.map((report: CollectorReport) => report.milliseconds);
  return { snapshot, recording: { takenAt: snapshot.takenAt, at: snapshot.at, calls, namespaces, milliseconds } };
}

function recordedView(view: NamespaceView, into: NamespaceRecording[]): NamespaceView {
  const { name, path } = view;
  return {
    name,
    path,
    visit: (look) => {
      const calls: Call[] = [];
      const visited = view.visit((reader) => {
        look(recordingReader(reader, calls));
      });
      into.push({ name, path, calls, refused: visited.ok ? null : visited });
      return visited;
    },
  };
}

/** Tees every answer into `calls`. */
export function recordingReader(reader: Reader, calls: Call[]): Reader {
  const timed = <T>(ask: () => Result<T>): { readonly answer: Result<T>; at: number; milliseconds: number } => {
    const started = monotonicMs();
    const answer = ask();
    return { answer, at: reader.lastReadAt, milliseconds: monotonicMs() - started };
  };
  return overlay(reader, {
    read: (path) => {
      const call = { op: 'read', path, ...timed(() => reader.read(path)) } as const;
      calls.push(call);
      return call.answer;
    },
    list: (path) => {
      const call = { op: 'list', path, ...timed(() => reader.list(path)) } as const;
      calls.push(call);
      return call.answer;
    },
    link: (path) => {
      const call = { op: 'link', path, ...timed(() => reader.link(path)) } as const;
      calls.push(call);
      return call.answer;
    },
    dump: (name, inodes) => {
      const answered = timed(() => reader.dump(name, inodes));
      calls.push({ op: 'dump', path: name, inodes: inodes ?? [], ...answered });
      return answered.answer;
    },
  });
}
