import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';

import { ifAllowed, systemRefusal } from '../base/errno.ts';

import { fail, ok, type Result } from '../base/result.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { Window } from '../metrics/window.ts';
import { jsonBudget, parseJson } from '../base/json.ts';
import { clusterDump } from '../sources/copy/cluster.ts';
import { below, folderTree, memoryTree, type Tree } from '../sources/copy/tree.ts';
import type { SampleRecording } from '../sources/recording.ts';
import { replaySample } from '../sources/replay.ts';
import { BUNDLE_LIMITS, archiveKind, isBundleManifest, manifestOf, unpackArchive } from './archive.ts';
import { openCopy, openPair } from './copies.ts';
import type { RecordedEvidence } from './evidence.ts';
import { decodeManifest } from './manifest.ts';
import { BUNDLE_IN_REPORT, unpackReport } from './sos-archive.ts';
import { isCopy, openTree, packingOf } from './trees.ts';
import type { Packing } from './unpack.ts';
import { decodeSample, type Members } from './sample.ts';

/** Opens a bundle (packed or not), a folder with before/ and after/, or a copy of /proc and /sys such as a sosreport. */
export async function openEvidence(path: string): Promise<Result<RecordedEvidence>> {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    return systemRefusal(error);
  }
  return isFolder ? openFolder(path) : openArchive(path);
}

/** Opens a bundle's members without looking at the samples. */
async function openArchive(path: string): Promise<Result<RecordedEvidence>> {
  const packing = packingOf(path);
  if (!packing.ok) return packing;
  if ((await archiveKind(path, packing.value)) === 'bundle') return openPacked(basename(path), path, packing.value);
  const files = await unpackReport(path, packing.value);
  if (!files.ok) return files;
  const inside = files.value.get(BUNDLE_IN_REPORT);
  if (inside instanceof Uint8Array) return noted(await openPacked(basename(path), inside, 'gzip'));
  return openTreeOf(basename(path), memoryTree(files.value));
}

async function openPacked(
  name: string,
  packed: string | Uint8Array,
  packing: Packing,
): Promise<Result<RecordedEvidence>> {
  const unpacked = await unpackArchive(packed, BUNDLE_LIMITS, packing);
  if (!unpacked.ok) return unpacked;
  const manifest = manifestOf(unpacked.value);
  if (manifest === undefined) return fail('not a pktcost bundle: no manifest.json in it');
  const top = manifest.slice(0, -'manifest.json'.length);
  const stray = [...unpacked.value.keys()].find((each) => !each.startsWith(top));
  if (stray !== undefined) return fail(`not a pktcost bundle: ${JSON.stringify(stray)} is outside of ${top}`);
  return openBundle(name, {
    get: (member) => {
      const bytes = unpacked.value.get(`${top}${member}`);
      return bytes === undefined ? undefined : ok(bytes);
    },
  });
}

function noted(inside: Result<RecordedEvidence>): Result<RecordedEvidence> {
  const note = `the bundle in this sosreport: ${BUNDLE_IN_REPORT}`;
  return inside.ok ? ok({ ...inside.value, notes: [note, ...inside.value.notes] }) : inside;
}

/** A report or a copy, or two of them as before/ and after/. */
function openTreeOf(name: string, tree: Tree): Result<RecordedEvidence> {
  const [before, after] = [below(tree, 'before'), below(tree, 'after')];
  if (isCopy(before) && isCopy(after)) return openPair(name, [before, after]);
  if (isCopy(tree)) return openCopy(name, tree);
  const cluster = clusterDump(tree);
  if (cluster !== undefined) return cluster.ok ? openCopy(name, cluster.value) : cluster;
  return fail('nothing to judge: no manifest.json, no before/ and after/, and no proc/, sys/ or sos_commands/ in it');
}

/** Two reports or copies of one host, the earlier one first. */
export async function openTwo(before: string, after: string): Promise<Result<RecordedEvidence>> {
  const [first, second] = [await openTree(before), await openTree(after)];
  if (!first.ok) return fail(`${before}: ${first.reason}`);
  if (!second.ok) return fail(`${after}: ${second.reason}`);
  return openPair(basename(after), [first.value, second.value]);
}

async function openFolder(path: string): Promise<Result<RecordedEvidence>> {
  const has = (name: string): boolean => ifAllowed(() => statSync(`${path}/${name}`)) !== undefined;
  const isHost = (name: string): boolean => ['proc', 'sys', 'sos_commands'].some((part) => has(`${name}/${part}`));
  if (has('manifest.json') && ifAllowed(() => holdsBundle(path)) === true) {
    return openBundle(basename(path), folderMembers(path));
  }
  if (isHost('before') && isHost('after')) {
    return openPair(basename(path), [folderTree(`${path}/before`), folderTree(`${path}/after`)]);
  }
  if (has(BUNDLE_IN_REPORT)) return noted(await openArchive(`${path}/${BUNDLE_IN_REPORT}`));
  if (isHost('.')) return openCopy(basename(path), folderTree(path));
  // Of a container that looked at its host.
  if (isHost('host')) return openCopy(basename(path), folderTree(`${path}/host`));
  const cluster = clusterDump(folderTree(path));
  if (cluster !== undefined) return cluster.ok ? openCopy(basename(path), cluster.value) : cluster;
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
  return fail('nothing to judge: no manifest.json, no before/ and after/, and no proc/, sys/ or sos_commands/ in it');
}

/** A sosreport has a manifest.json too, of another kind and elsewhere in some versions. */
function holdsBundle(path: string): boolean {
  const got = folderTree(path).read('/manifest.json');
  return got.ok && isBundleManifest(got.value);
}

function folderMembers(path: string): Members {
  const root = realpathSync(path);
  const reader = folderTree(root);
  let total = 0;
  return {
    get: (name) => {
      const got = reader.read(`/${name}`);
      if (!got.ok) return got.errno === 'ENOENT' || got.errno === 'ENOTDIR' ? undefined : got;
      total += got.value.length;
      return total > BUNDLE_LIMITS.totalBytes ? fail('more than 512 MiB in all') : got;
    },
  };
}

function openBundle(name: string, members: Members): Result<RecordedEvidence> {
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

function windowOf(samples: readonly Snapshot[]): Window {
  const [before, after] = samples;
  return new Window(before!, after ?? before!);
}
