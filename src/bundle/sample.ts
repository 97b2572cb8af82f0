import { createHash } from 'node:crypto';

import { errnoRecordedIn } from '../base/errno.ts';
import { fail, ok, type Failure, type Result } from '../base/result.ts';
import { parseJson, type JsonBudget } from '../base/json.ts';
import type { Call, SampleRecording } from '../sources/recording.ts';
import type { CallEntry, FileEntry, SampleEntry } from './manifest.ts';
import type { Member } from './tar/format.ts';

/** Where a sample's files stand in a bundle. */
export type SampleFolder = 'before' | 'after';

export interface EncodedSample {
  readonly entry: SampleEntry;
  readonly members: readonly Member[];
}

/** A recorded sample as files under their own paths, and what the manifest says of them. */
export function encodeSample(folder: SampleFolder, recording: SampleRecording): EncodedSample {
  const members: Member[] = [];
  const { takenAt, at, milliseconds, calls, namespaces } = recording;
  const entry: SampleEntry = {
    takenAt,
    at,
    milliseconds,
    calls: encodeCalls(folder, calls, members),
    namespaces: namespaces.map(({ name, path, refused, calls: inside }) => ({
      name,
      path,
      refused: refused?.reason ?? null,
      ...(refused?.errno === undefined ? {} : { errno: refused.errno }),
      calls: encodeCalls(`${folder}/netns/${safeName(name)}`, inside, members),
    })),
  };
  return { entry, members };
}

function encodeCalls(folder: string, calls: readonly Call[], members: Member[]): CallEntry[] {
  const versions = new Map<string, FileEntry[]>();
  const keep = (path: string, bytes: Uint8Array): Omit<FileEntry, 'name'> & { readonly file: string } => {
    const sha256 = sha256Of(bytes);
    const known = versions.get(path) ?? [];
    versions.set(path, known);
    let entry = known.find((each) => each.sha256 === sha256);
    if (entry === undefined) {
      // Read again in the same sample with another content: beside the first, numbered like a backup.
      const name = `${folder}${path}${known.length === 0 ? '' : `.~${known.length + 1}~`}`;
      known.push((entry = { name, bytes: bytes.length, sha256 }));
      members.push({ name, bytes });
    }
    return { file: entry.name, bytes: entry.bytes, sha256 };
  };
  return calls.map((call): CallEntry => {
    const { path, at, milliseconds } = call;
    const asked = { op: call.op, path, at, milliseconds };
    switch (call.op) {
      case 'read':
        if (!call.answer.ok) return { ...asked, ...refusedAs(call.answer) };
        return { ...asked, op: 'read', ...keep(memberPath(path), call.answer.value) };
      case 'list':
        if (!call.answer.ok) return { ...asked, ...refusedAs(call.answer) };
        return { ...asked, op: 'list', names: call.answer.value };
      case 'link':
        if (!call.answer.ok) return { ...asked, ...refusedAs(call.answer) };
        return { ...asked, op: 'link', target: call.answer.value };
      case 'dump': {
        const { inodes } = call;
        if (!call.answer.ok) return { ...asked, inodes, ...refusedAs(call.answer) };
        const json = Buffer.from(`${JSON.stringify(call.answer.value, undefined, 2)}\n`);
        // `sos clean` takes a_b.json for the name of a host.
        return { ...asked, op: 'dump', inodes, ...keep(`/dumps/${path.replaceAll('_', '-')}.json`, json) };
      }
    }
  });
}

function refusedAs({ reason, errno }: Failure): { readonly error: string; readonly errno?: string } {
  return { error: reason, ...(errno === undefined ? {} : { errno }) };
}

function failureOf(reason: string, errno = errnoRecordedIn(reason)): Failure {
  return { ...fail(reason), ...(errno === undefined ? {} : { errno }) };
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A path of the host as one in an archive: no component that a shell, a terminal or another file system would mind. */
function memberPath(path: string): string {
  return path
    .split('/')
    .map((part) => safeName(part))
    .join('/');
}

/** Percent-encodes whatever is not plain in a file name. Injective, so that no two names become one. */
export function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._:+=@,#~-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  return safe === '.' || safe === '..' ? safe.replaceAll('.', '%2e') : safe;
}

/** Members of a bundle, wherever they are. */
export interface Members {
  /** Undefined when there is no such member. */
  get(name: string): Result<Uint8Array> | undefined;
}

const MOST_SERVED_AGAIN = 256 * 1024 * 1024;

/** The opposite of `encodeSample`; a member that is not as the manifest says is named in `edited`. */
export function decodeSample(
  entry: SampleEntry,
  members: Members,
  edited: string[],
  budget: JsonBudget,
): Result<SampleRecording> {
  const contents = new Map<string, Uint8Array>();
  let served = 0;
  const content = ({ file, sha256 }: { readonly file: string; readonly sha256: string }): Result<Uint8Array> => {
    const known = contents.get(file);
    // One file named by a hundred thousand calls would be parsed as often.
    served += known?.length ?? 0;
    if (served > MOST_SERVED_AGAIN) return fail('manifest.json names the same files too often');
    if (known !== undefined) return ok(known);
    const got = members.get(file);
    if (got === undefined) return fail(`manifest.json lists ${JSON.stringify(file)}, which is not there`);
    if (!got.ok) return fail(`${file}: ${got.reason}`);
    if (sha256Of(got.value) !== sha256) edited.push(file);
    contents.set(file, got.value);
    return got;
  };
  const decodeCalls = (entries: readonly CallEntry[]): Result<Call[]> => {
    const calls: Call[] = [];
    for (const each of entries) {
      const call = decodeCall(each, content, budget);
      if (!call.ok) return call;
      calls.push(call.value);
    }
    return ok(calls);
  };
  const calls = decodeCalls(entry.calls);
  if (!calls.ok) return calls;
  const namespaces: SampleRecording['namespaces'][number][] = [];
  for (const { name, path, refused, errno, calls: inside } of entry.namespaces) {
    const within = decodeCalls(inside);
    if (!within.ok) return within;
    namespaces.push({
      name,
      path,
      refused: refused === null ? null : failureOf(refused, errno),
      calls: within.value,
    });
  }
  const { takenAt, at, milliseconds } = entry;
  return ok({ takenAt, at, milliseconds, calls: calls.value, namespaces });
}

function decodeCall(
  entry: CallEntry,
  content: (file: { readonly file: string; readonly sha256: string }) => Result<Uint8Array>,
  budget: JsonBudget,
): Result<Call> {
  const { path, at, milliseconds } = entry;
  const asked = { path, at, milliseconds };
  if ('error' in entry) {
    const answer = failureOf(entry.error, entry.errno);
    if (entry.op === 'dump') return ok({ ...asked, op: 'dump', inodes: entry.inodes ?? [], answer });
    return ok({ ...asked, op: entry.op, answer });
  }
  switch (entry.op) {
    case 'list':
      return ok({ ...asked, op: 'list', answer: ok(entry.names) });
    case 'link':
      return ok({ ...asked, op: 'link', answer: ok(entry.target) });
    case 'read': {
      const bytes = content(entry);
      return bytes.ok ? ok({ ...asked, op: 'read', answer: bytes }) : bytes;
    }
    case 'dump': {
      const bytes = content(entry);
      if (!bytes.ok) return bytes;
      const answer = parseJson(bytes.value, budget);
      if (!answer.ok) return fail(`${entry.file}: ${answer.reason}`);
      return ok({ ...asked, op: 'dump', inodes: entry.inodes, answer });
    }
  }
}
