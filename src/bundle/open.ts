import { closeSync, openSync, readSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';

import type { Collector } from '../collectors/collector.ts';
import { ifAllowed, systemErrorReason } from '../ffi/errno.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import type { Keep, Snapshot } from '../metrics/snapshot.ts';
import { Window } from '../metrics/window.ts';
import { jsonBudget, parseJson } from '../sources/json.ts';
import { copyReader, copyTime } from '../sources/replay-copy.ts';
import type { SampleRecording } from '../sources/recording.ts';
import { replaySample } from '../sources/replay.ts';
import { takeSample } from '../sources/take-sample.ts';
import { BUNDLE_LIMITS, unpackArchive } from './archive.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { decodeSample, type Members } from './sample.ts';

/** Something that can be judged again. */
export interface Evidence {
  /** A bundle of pktcost's own, two copies of /proc and /sys, or one. */
  readonly kind: 'bundle' | 'pair' | 'copy';
  /** File or folder name. */
  readonly name: string;
  /** Takes the samples again: one makes a window that is `single`. */
  readonly window: (collectors: readonly Collector[], keep?: Keep) => Window;
  readonly bundle: Bundle | null;
  /** What whoever reads the verdict should know of the evidence, one line each. */
  readonly notes: readonly string[];
}

export interface Bundle {
  readonly manifest: Manifest;
  /** report.json as it is, config.json and baseline.json parsed; undefined where the bundle has none. */
  readonly report: Uint8Array | undefined;
  readonly config: unknown;
  readonly baseline: unknown;
}

/** Opens a bundle (packed or not), a folder with before/ and after/, or a copy of /proc and /sys such as a sosreport. */
export async function openEvidence(path: string): Promise<Result<Evidence>> {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    return fail(systemErrorReason(error));
  }
  return isFolder ? openFolder(path) : openArchive(path);
}

/** Opens a bundle's members without looking at the samples. */
async function openArchive(path: string): Promise<Result<Evidence>> {
  const kind = archiveKind(path);
  if (!kind.ok) return kind;
  const unpacked = await unpackArchive(path);
  if (!unpacked.ok) return unpacked;
  const names = [...unpacked.value.keys()];
  const top = names[0]?.split('/')[0] ?? '';
  if (!unpacked.value.has(`${top}/manifest.json`)) {
    return fail('not a pktcost bundle: no manifest.json in it (unpack a sosreport first, and give the folder)');
  }
  const stray = names.find((name) => !name.startsWith(`${top}/`));
  if (stray !== undefined) return fail(`not a pktcost bundle: ${JSON.stringify(stray)} is outside of ${top}/`);
  return openBundle(basename(path), {
    get: (name) => {
      const bytes = unpacked.value.get(`${top}/${name}`);
      return bytes === undefined ? undefined : ok(bytes);
    },
  });
}

const magics: readonly (readonly [hex: string, name: string])[] = [
  ['fd377a585a00', 'an xz archive'],
  ['425a68', 'a bzip2 archive'],
  ['28b52ffd', 'a zstd archive'],
  ['504b0304', 'a zip archive'],
];

function archiveKind(path: string): Result<undefined> {
  const start = Buffer.alloc(6);
  let fd: number | undefined;
  try {
    if (!statSync(path).isFile()) return fail('neither a file nor a folder');
    fd = openSync(path, 'r');
    readSync(fd, start, 0, start.length, 0);
  } catch (error) {
    return fail(systemErrorReason(error));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  const known = magics.find(([hex]) => start.toString('hex').startsWith(hex));
  return known === undefined ? ok(undefined) : fail(`${known[1]}: unpack it first, and give the folder`);
}

/** Where the plugin for sos leaves its bundle (contrib/sos). */
const BUNDLE_IN_SOSREPORT = 'sos_commands/pktcost/bundle/pktcost.tar.gz';

async function openFolder(path: string): Promise<Result<Evidence>> {
  const has = (name: string): boolean => ifAllowed(() => statSync(`${path}/${name}`)) !== undefined;
  const isHost = (name: string): boolean => has(`${name}/proc`) || has(`${name}/sys`);
  if (has('manifest.json') && ifAllowed(() => isBundleManifest(path)) === true) {
    return openBundle(basename(path), folderMembers(path));
  }
  if (isHost('before') && isHost('after')) return openPair(path);
  if (has(BUNDLE_IN_SOSREPORT)) {
    const inside = await openArchive(`${path}/${BUNDLE_IN_SOSREPORT}`);
    const note = `the bundle in this sosreport: ${BUNDLE_IN_SOSREPORT}`;
    return inside.ok ? ok({ ...inside.value, notes: [note, ...inside.value.notes] }) : inside;
  }
  if (isHost('.')) return openCopy(path);
  const inside = (ifAllowed(() => readdirSync(path, { withFileTypes: true })) ?? []).filter((each) =>
    each.isDirectory(),
  );
  const only = inside[0];
  if (inside.length === 1 && only !== undefined && basename(path) !== only.name) {
    const deeper = `${path}/${only.name}`;
    if (
      ifAllowed(() =>
        readdirSync(deeper).some((name) => ['manifest.json', 'before', 'proc', 'sys', 'sos_commands'].includes(name)),
      )
    ) {
      return openFolder(deeper);
    }
  }
  return fail('nothing to judge: no manifest.json, no before/ and after/, and no proc/ or sys/ in it');
}

/** A sosreport has a manifest.json too, of another kind and elsewhere in some versions. */
function isBundleManifest(path: string): boolean {
  const got = copyReader(path, 0).read('/manifest.json');
  return got.ok && Buffer.from(got.value).subarray(0, 4096).includes('pktcost-bundle');
}

function folderMembers(path: string): Members {
  const root = realpathSync(path);
  const reader = copyReader(root, 0);
  let total = 0;
  return {
    get: (name) => {
      const got = reader.read(`/${name}`);
      if (!got.ok) return got.reason.includes('(ENOENT)') || got.reason.includes('(ENOTDIR)') ? undefined : got;
      total += got.value.length;
      return total > BUNDLE_LIMITS.totalBytes ? fail('more than 512 MiB in all') : got;
    },
  };
}

function openBundle(name: string, members: Members): Result<Evidence> {
  const budget = jsonBudget();
  const json = (member: string): Result<unknown> => {
    const bytes = members.get(member);
    if (bytes === undefined) return ok(undefined);
    const parsed = bytes.ok ? parseJson(bytes.value, budget) : bytes;
    return parsed.ok ? parsed : fail(`${member}: ${parsed.reason}`);
  };
  const raw = json('manifest.json');
  if (!raw.ok) return raw;
  const manifest = decodeManifest(raw.value);
  if (!manifest.ok) return fail(`manifest.json: ${manifest.reason}`);
  const [config, baseline] = [json('config.json'), json('baseline.json')];
  const report = members.get('report.json');
  if (!config.ok) return config;
  if (report?.ok === false) return fail(`report.json: ${report.reason}`);
  if (!baseline.ok) return baseline;
  const edited: string[] = [];
  const recordings: SampleRecording[] = [];
  for (const entry of manifest.value.samples) {
    const recording = decodeSample(entry, members, edited, budget);
    if (!recording.ok) return recording;
    recordings.push(recording.value);
  }
  if (recordings.length === 0) return fail('manifest.json: no sample in it');
  return ok({
    kind: 'bundle',
    name,
    window: (collectors, keep) => windowOf(recordings.map((recording) => replaySample(recording, collectors, keep))),
    bundle: { manifest: manifest.value, config: config.value, report: report?.value, baseline: baseline.value },
    notes: editedNotes(edited),
  });
}

/** A bundle that went through `sos clean` is still good evidence, but no longer what the host said. */
function editedNotes(edited: readonly string[]): readonly string[] {
  if (edited.length === 0) return [];
  const files = edited.length === 1 ? 'one file is' : `${edited.length} files are`;
  return [`${files} not as recorded (SHA-256; first ${edited[0]!}): edited or cleaned since`];
}

function openPair(path: string): Result<Evidence> {
  const folders = [`${path}/before`, `${path}/after`];
  const [before, after] = folders.map((folder) => copyTime(folder)) as [
    ReturnType<typeof copyTime>,
    ReturnType<typeof copyTime>,
  ];
  const [from, to] = [before.uptime, after.uptime];
  const byUptime = from !== undefined && to !== undefined;
  const seconds = byUptime ? to - from : after.written - before.written;
  const how = byUptime ? '/proc/uptime' : 'the times of the files';
  if (!(seconds > 0)) return fail(`after/ is not later than before/ by ${how}: there is no window between them`);
  return ok({
    kind: 'pair',
    name: basename(path),
    window: (collectors, keep) =>
      windowOf([
        copiedSample(folders[0]!, before.takenAt, 0, collectors, keep),
        copiedSample(folders[1]!, after.takenAt, seconds, collectors, keep),
      ]),
    bundle: null,
    notes: [
      `two copies of /proc and /sys, ${seconds.toFixed(byUptime ? 2 : 0)} s apart by ${how}; nothing that only a socket or the probe tells`,
    ],
  });
}

function openCopy(path: string): Result<Evidence> {
  const { takenAt } = copyTime(path);
  return ok({
    kind: 'copy',
    name: basename(path),
    window: (collectors, keep) => windowOf([copiedSample(path, takenAt, 0, collectors, keep)]),
    bundle: null,
    notes: ['one sample: gauges and figures since boot only, no rates'],
  });
}

function copiedSample(
  folder: string,
  takenAt: string,
  at: number,
  collectors: readonly Collector[],
  keep?: Keep,
): Snapshot {
  const reader = copyReader(folder, at);
  return takeSample({ reader, collectors, taken: { takenAt, at }, ...(keep === undefined ? {} : { keep }) });
}

function windowOf(samples: readonly Snapshot[]): Window {
  const [before, after] = samples;
  return new Window(before!, after ?? before!);
}
