import type { Collector } from '../collectors/collector.ts';
import { parseLine } from '../collectors/parse.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Keep, Snapshot } from '../metrics/snapshot.ts';
import { Window } from '../metrics/window.ts';
import { apart, copyTime, type CopyTime } from '../sources/copy/clock.ts';
import { noteCut } from '../sources/copy/cut.ts';
import { unpadded, withLinks, type Tree } from '../sources/copy/tree.ts';
import { namespacesIn } from '../sources/sos/outputs.ts';
import { noteCutQueues } from '../sources/sos/queues.ts';
import { sosReader } from '../sources/sos/reader.ts';
import { remarks, unreadCommands } from '../sources/sos/remarks.ts';
import { takeSample } from '../sources/take-sample.ts';
import type { RecordedEvidence } from './evidence.ts';

/** Copies of one host's /proc and /sys, made one after the other, as a window. */
export function openPair(name: string, [one, other]: readonly [Tree, Tree]): Result<RecordedEvidence> {
  const [first, second] = [asText(one), asText(other)];
  const [before, after] = [copyTime(first), copyTime(second)];
  const [here, there] = [hostOf(first), hostOf(second)];
  if (here !== undefined && there !== undefined && shortName(here) !== shortName(there))
    return fail(`two hosts, ${here} and then ${there}: what one counted cannot be taken from what the other did`);
  const between = apart(before, after);
  if (!between.ok) return fail(between.reason);
  const { seconds, by, decimals } = between.value;
  return ok({
    kind: 'pair',
    name,
    window: (collectors, keep) =>
      new Window(sampleOf(first, before, 0, collectors, keep), sampleOf(second, after, seconds, collectors, keep)),
    bundle: null,
    notes: [
      `two copies of /proc and /sys, ${seconds.toFixed(decimals)} s apart by ${by}; nothing that only a socket or the probe tells`,
      ...sosNotes(second),
    ],
  });
}

/** As every reader wants it. */
function asText(tree: Tree): Tree {
  return withLinks(unpadded(tree));
}

function hostOf(tree: Tree): string | undefined {
  const name = sosReader(tree, 0).read('/proc/sys/kernel/hostname');
  const parsed = name.ok ? parseLine(name.value) : name;
  return parsed.ok && parsed.value !== '' ? parsed.value.slice(0, 255) : undefined;
}

/** Some say it with the domain. */
function shortName(name: string): string {
  return (name.split('.')[0] ?? '').toLowerCase();
}

/** One copy: levels, and what was counted since the host was started. */
export function openCopy(name: string, copied: Tree): Result<RecordedEvidence> {
  const tree = asText(copied);
  const time = copyTime(tree);
  return ok({
    kind: 'copy',
    name,
    window: (collectors, keep) => {
      const sample = sampleOf(tree, time, 0, collectors, keep);
      return new Window(sample, sample, time.uptime ?? time.ticks ?? time.told);
    },
    bundle: null,
    notes: [
      'one sample: levels, and totals since boot; when they came about is not known',
      ...emptyNotes(tree),
      ...sosNotes(tree),
    ],
  });
}

function sosNotes(tree: Tree): readonly string[] {
  const unread = unreadCommands(tree);
  return [...remarks(tree), ...(unread === undefined ? [] : [unread])];
}

/** Files of /proc say that they are empty until they are read. */
function emptyNotes(tree: Tree): readonly string[] {
  const files = ['/proc/stat', '/proc/uptime', '/proc/net/dev', '/proc/net/snmp', '/proc/net/netstat'].map((path) =>
    tree.read(path),
  );
  const there = files.filter(({ ok: isThere }) => isThere);
  const empty = there.length > 0 && there.every((file) => file.ok && file.value.every((byte) => byte === 0));
  return empty
    ? [
        'the files of /proc in it are empty: tar and cp --sparse copy them by their length, which is 0; cat each into a file, or let sos do it',
      ]
    : [];
}

function sampleOf(tree: Tree, time: CopyTime, at: number, collectors: readonly Collector[], keep?: Keep): Snapshot {
  const snapshot = takeSample({
    reader: sosReader(tree, at),
    namespaces: namespacesIn(tree).map((name) => ({
      name,
      path: `sos_commands/networking/ip_netns_exec_${name}_*`,
      visit: (look) => {
        look(sosReader(tree, at, name));
        return ok(undefined);
      },
    })),
    collectors,
    taken: { takenAt: time.takenAt ?? UNKNOWN_TIME, at },
    ...(keep === undefined ? {} : { keep }),
  });
  noteCut(tree, snapshot);
  noteCutQueues(tree, snapshot);
  return snapshot;
}

/** The schema wants a time. */
const UNKNOWN_TIME = new Date(0).toISOString();
