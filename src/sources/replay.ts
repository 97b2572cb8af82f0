import type { Collector } from '../collectors/collector.ts';
import type { Reader } from '../collectors/reader.ts';
import { fail, ok, type Failure, type Result } from '../base/result.ts';
import type { Keep, Snapshot } from '../metrics/snapshot.ts';
import type { Call, SampleRecording } from './recording.ts';
import { takeSample, type NamespaceView } from './take-sample.ts';

/** Not worded as an errno on purpose: what was never asked for must not pass for what does not exist. */
const UNRECORDED: Failure = fail('was not read when this was recorded');

/** Takes a recorded sample again: the same collectors on the same answers. */
export function replaySample(recording: SampleRecording, collectors: readonly Collector[], keep?: Keep): Snapshot {
  const { takenAt, at, calls, namespaces, milliseconds } = recording;
  const snapshot = takeSample({
    reader: replayReader(calls),
    collectors,
    namespaces: namespaces.map(({ name, path, calls: inside, refused }): NamespaceView => ({
      name,
      path,
      visit: (look) => {
        if (refused !== null) return refused;
        look(replayReader(inside));
        return ok(undefined);
      },
    })),
    taken: { takenAt, at },
    ...(keep === undefined ? {} : { keep }),
  });
  // How long the collectors took then is part of the evidence; how long they took now is not.
  if (milliseconds.length === snapshot.collectors.length) {
    for (const [index, report] of snapshot.collectors.entries()) {
      snapshot.collectors[index] = { ...report, milliseconds: milliseconds[index]! };
    }
  }
  return snapshot;
}

/**
 * Serves what was recorded. A path that was asked for several times is answered in that order, the last answer then
 * stands: a file of /proc may have changed within one sample.
 */
export function replayReader(calls: readonly Call[]): Reader {
  const queues = new Map<string, { readonly calls: Call[]; next: number }>();
  for (const call of calls) {
    const key = `${call.op} ${call.path}`;
    const queue = queues.get(key);
    if (queue === undefined) queues.set(key, { calls: [call], next: 0 });
    else queue.calls.push(call);
  }
  let lastReadAt = calls[0]?.at ?? 0;
  const answer = (op: Call['op'], path: string): Result<unknown> => {
    const queue = queues.get(`${op} ${path}`);
    const call = queue?.calls[Math.min(queue.next, queue.calls.length - 1)];
    if (queue === undefined || call === undefined) return UNRECORDED;
    queue.next += 1;
    lastReadAt = call.at;
    return call.answer;
  };
  return {
    get lastReadAt() {
      return lastReadAt;
    },
    // The key holds the operation, so that the answer has its type.
    read: (path) => answer('read', path) as Result<Uint8Array>,
    list: (path) => answer('list', path) as Result<readonly string[]>,
    link: (path) => answer('link', path) as Result<string>,
    dump: (name) => answer('dump', name),
  };
}
