import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { bundleOf, packBundle, type RecordedRun } from '../../src/jobs/bundle.ts';
import { collectors } from '../../src/collectors/index.ts';
import { judgeWindow } from '../../src/jobs/judge.ts';
import { ok } from '../../src/base/result.ts';
import { Window } from '../../src/metrics/window.ts';
import { recordSample, type Recorded } from '../../src/sources/recording.ts';
import type { NamespaceView } from '../../src/sources/take-sample.ts';
import { fakeReader, type FakeHost } from './reader.ts';

export interface FakeSample extends FakeHost {
  readonly namespaces?: Readonly<Record<string, FakeHost>>;
}

/** A sample of a host in memory, recorded. */
export function recordFake({ namespaces = {}, ...host }: FakeSample, at: number): Recorded {
  return recordSample({
    reader: fakeReader(host, at),
    collectors,
    namespaces: Object.entries(namespaces).map(([name, inside]): NamespaceView => ({
      name,
      path: `/run/netns/${name}`,
      visit: (look) => {
        look(fakeReader(inside, at + 0.5));
        return ok(undefined);
      },
    })),
    taken: { takenAt: new Date(1_700_000_000_000 + at * 1000).toISOString(), at },
  });
}

/** What diagnose would put into the bundle of these two samples. */
export function contentOf(before: Recorded, after: Recorded, change: Partial<RecordedRun> = {}): RecordedRun {
  const overrides = change.overrides ?? {};
  const report = judgeWindow({
    window: new Window(before.snapshot, after.snapshot),
    overrides,
    version: '0.1.0',
    requestedSeconds: 10,
    cutShort: false,
    self: () => ({ cpuSeconds: 0.2, peakMemoryBytes: 50_000_000 }),
  });
  return {
    before: before.recording,
    after: after.recording,
    report,
    run: {
      requestedSeconds: 10,
      cutShort: false,
      devices: [],
      baseline: null,
      probe: report.probe,
      selfCost: report.selfCost,
    },
    overrides,
    baseline: null,
    version: '0.1.0',
    commandLine: ['diagnose', '--window', '10s', '--bundle', '/home/joe/ticket.tar.gz'],
    redact: false,
    ...change,
  };
}

export async function writeBundle(path: string, content: RecordedRun): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of packBundle(content)) pieces.push(piece);
  writeFileSync(path, Buffer.concat(pieces));
}

/** The members of a bundle as files in a folder. */
export function unpackInto(folder: string, content: RecordedRun): void {
  for (const { name, bytes } of bundleOf(content).members) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
}
