import type { Probe, SelfCost } from '../generated/report.ts';
import { dumpNames } from '../collectors/reader.ts';
import type { Result } from '../base/result.ts';
import {
  Malformed,
  count,
  decoded,
  flag,
  list,
  number,
  numberOrNull,
  orNull,
  record,
  seconds,
  text,
  textOrNull,
  type Fields,
} from '../base/decode.ts';
import { plainName } from './tar/format.ts';

/** Minor versions add fields, a major version changes or removes them. */
export const FORMAT_VERSION = '1.0';

/** manifest.json: what a bundle holds and how it came about. */
export interface Manifest {
  readonly format: 'pktcost-bundle';
  readonly formatVersion: string;
  /** Version of pktcost that recorded it. */
  readonly version: string;
  /** Of report.json; null when the bundle was made without a verdict. */
  readonly reportSchemaVersion: string | null;
  readonly kernel: string | null;
  readonly createdAt: string;
  readonly commandLine: readonly string[];
  readonly redacted: boolean;
  readonly run: RunFacts;
  /** Every limit as it was in force: code -> name -> value. */
  readonly thresholds: LimitsInForce;
  readonly samples: readonly SampleEntry[];
  /** The other members, by name. */
  readonly files: readonly FileEntry[];
}

export type LimitsInForce = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What the verdict depends on besides what the host answered. */
export interface RunFacts {
  readonly requestedSeconds: number;
  readonly cutShort: boolean;
  /** Only these devices were judged; empty for all. */
  readonly devices: readonly string[];
  /** Name of the report given with --baseline; the report itself is baseline.json. */
  readonly baseline: string | null;
  readonly probe: Probe | null;
  readonly selfCost: SelfCost | null;
}

export interface FileEntry {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface SampleEntry {
  readonly takenAt: string;
  /** CLOCK_MONOTONIC seconds. */
  readonly at: number;
  readonly milliseconds: readonly number[];
  readonly calls: readonly CallEntry[];
  readonly namespaces: readonly {
    readonly name: string;
    readonly path: string;
    readonly refused: string | null;
    /** The errno's name, where that is why. */
    readonly errno?: string;
    readonly calls: readonly CallEntry[];
  }[];
}

interface Question {
  readonly path: string;
  readonly at: number;
  readonly milliseconds: number;
}

/** One question: answered with an error, with a file of the bundle, with names, or with the target of a link. */
export type CallEntry = Question &
  (
    | {
        readonly op: 'read' | 'list' | 'link' | 'dump';
        readonly inodes?: readonly number[];
        readonly error: string;
        /** The errno's name, where the kernel refused it. */
        readonly errno?: string;
      }
    | { readonly op: 'read'; readonly file: string; readonly bytes: number; readonly sha256: string }
    | {
        readonly op: 'dump';
        readonly inodes: readonly number[];
        readonly file: string;
        readonly bytes: number;
        readonly sha256: string;
      }
    | { readonly op: 'list'; readonly names: readonly string[] }
    | { readonly op: 'link'; readonly target: string }
  );

const MOST_SAMPLES = 2;
/** As many as diagnose looks into (sources/choose.ts). */
const MOST_NAMESPACES = 10_000;
const dumps: ReadonlySet<string> = new Set(dumpNames);

/** Reads a manifest back; anything that is not as pktcost writes it is named with its place. Unknown fields are left out. */
export function decodeManifest(value: unknown): Result<Manifest> {
  return decoded(() => {
    const top = record(value, 'the manifest');
    if (top['format'] !== 'pktcost-bundle') throw new Malformed('not the manifest of a pktcost bundle');
    const formatVersion = text(top['formatVersion'], 'formatVersion');
    if (!/^1\.\d{1,4}$/.test(formatVersion)) {
      throw new Malformed(
        `format ${JSON.stringify(formatVersion.slice(0, 20))} is not known here; it takes another version of pktcost`,
      );
    }
    return {
      format: 'pktcost-bundle',
      formatVersion,
      version: text(top['version'], 'version'),
      reportSchemaVersion: orNull(top['reportSchemaVersion'], 'reportSchemaVersion', text),
      kernel: orNull(top['kernel'], 'kernel', text),
      createdAt: text(top['createdAt'], 'createdAt'),
      commandLine: list(top['commandLine'], 'commandLine', text),
      redacted: flag(top['redacted'], 'redacted'),
      run: runFacts(record(top['run'], 'run')),
      thresholds: limits(top['thresholds']),
      samples: list(top['samples'], 'samples', sampleEntry, MOST_SAMPLES),
      files: list(top['files'], 'files', fileEntry),
    };
  });
}

function runFacts(fields: Fields): RunFacts {
  return {
    requestedSeconds: seconds(fields['requestedSeconds'], 'run.requestedSeconds'),
    cutShort: flag(fields['cutShort'], 'run.cutShort'),
    devices: list(fields['devices'], 'run.devices', text),
    baseline: orNull(fields['baseline'], 'run.baseline', text),
    probe: orNull(fields['probe'], 'run.probe', probe),
    selfCost: orNull(fields['selfCost'], 'run.selfCost', selfCost),
  };
}

const probeStatuses = ['attached', 'detached-early', 'off', 'not-measured'] as const;

function probe(value: unknown, place: string): Probe {
  const fields = record(value, place);
  const status = probeStatuses.find((each) => each === fields['status']);
  if (status === undefined) throw new Malformed(`${place}.status is unknown`);
  return {
    status,
    tier: text(fields['tier'], `${place}.tier`),
    reason: textOrNull(fields['reason'], `${place}.reason`),
    plan: list(fields['plan'], `${place}.plan`, (each, at) => {
      const step = record(each, at);
      return {
        netns: text(step['netns'], `${at}.netns`),
        device: text(step['device'], `${at}.device`),
        driver: textOrNull(step['driver'], `${at}.driver`),
        span: text(step['span'], `${at}.span`),
        mode: textOrNull(step['mode'], `${at}.mode`),
        attach: flag(step['attach'], `${at}.attach`),
        reason: text(step['reason'], `${at}.reason`),
        price: textOrNull(step['price'], `${at}.price`),
      };
    }),
  };
}

function selfCost(value: unknown, place: string): SelfCost {
  const fields = record(value, place);
  return {
    cpuSeconds: numberOrNull(fields['cpuSeconds'], `${place}.cpuSeconds`),
    peakMemoryBytes: numberOrNull(fields['peakMemoryBytes'], `${place}.peakMemoryBytes`),
    nsPerPacket: numberOrNull(fields['nsPerPacket'], `${place}.nsPerPacket`),
    cpuShare: numberOrNull(fields['cpuShare'], `${place}.cpuShare`),
    profileCpuShare: numberOrNull(fields['profileCpuShare'] ?? null, `${place}.profileCpuShare`),
    dropsCpuShare: numberOrNull(fields['dropsCpuShare'] ?? null, `${place}.dropsCpuShare`),
    runs: numberOrNull(fields['runs'], `${place}.runs`),
    budget: numberOrNull(fields['budget'], `${place}.budget`),
    actions: list(fields['actions'], `${place}.actions`, (each, at) => {
      const action = record(each, at);
      return {
        seconds: numberOrNull(action['seconds'], `${at}.seconds`),
        action: text(action['action'], `${at}.action`),
        reason: text(action['reason'], `${at}.reason`),
        restored: orNull(action['restored'], `${at}.restored`, flag),
      };
    }),
  };
}

function limits(value: unknown): LimitsInForce {
  return Object.fromEntries(
    Object.entries(record(value, 'thresholds')).map(([code, names]) => [
      code,
      Object.fromEntries(
        Object.entries(record(names, `thresholds.${code}`)).map(([name, limit]) => [
          name,
          number(limit, `thresholds.${code}.${name}`),
        ]),
      ),
    ]),
  );
}

function sampleEntry(value: unknown, at: string): SampleEntry {
  const fields = record(value, at);
  const takenAt = text(fields['takenAt'], `${at}.takenAt`);
  if (Number.isNaN(Date.parse(takenAt))) throw new Malformed(`${at}.takenAt is not a time`);
  return {
    takenAt,
    at: seconds(fields['at'], `${at}.at`),
    milliseconds: list(fields['milliseconds'], `${at}.milliseconds`, number),
    calls: list(fields['calls'], `${at}.calls`, callEntry),
    namespaces: list(
      fields['namespaces'],
      `${at}.namespaces`,
      (each, place) => {
        const namespace = record(each, place);
        return {
          name: text(namespace['name'], `${place}.name`),
          path: text(namespace['path'], `${place}.path`),
          refused: orNull(namespace['refused'], `${place}.refused`, text),
          ...errnoOf(namespace, place),
          calls: list(namespace['calls'], `${place}.calls`, callEntry),
        };
      },
      MOST_NAMESPACES,
    ),
  };
}

function callEntry(value: unknown, place: string): CallEntry {
  const fields = record(value, place);
  const op = text(fields['op'], `${place}.op`);
  if (op !== 'read' && op !== 'list' && op !== 'link' && op !== 'dump') throw new Malformed(`${place}.op is unknown`);
  const path = text(fields['path'], `${place}.path`);
  if (op === 'dump' ? !dumps.has(path) : !path.startsWith('/')) throw new Malformed(`${place}.path is unknown`);
  const asked = {
    path,
    at: seconds(fields['at'], `${place}.at`),
    milliseconds: number(fields['milliseconds'], `${place}.milliseconds`),
  };
  const inodes = fields['inodes'] === undefined ? [] : list(fields['inodes'], `${place}.inodes`, count);
  if (fields['error'] !== undefined)
    return { ...asked, op, inodes, error: text(fields['error'], `${place}.error`), ...errnoOf(fields, place) };
  if (op === 'list') return { ...asked, op, names: list(fields['names'], `${place}.names`, text) };
  if (op === 'link') return { ...asked, op, target: text(fields['target'], `${place}.target`) };
  const { name, bytes, sha256 } = fileEntry({ ...fields, name: fields['file'] }, place);
  if (op === 'dump') return { ...asked, op, inodes, file: name, bytes, sha256 };
  return { ...asked, op, file: name, bytes, sha256 };
}

function errnoOf({ errno }: Fields, place: string): { readonly errno?: string } {
  if (errno === undefined) return {};
  const name = text(errno, `${place}.errno`);
  if (!/^(?:E[A-Z0-9]{2,19}|errno \d{1,6})$/.test(name)) throw new Malformed(`${place}.errno is no errno`);
  return { errno: name };
}

function fileEntry(value: unknown, place: string): FileEntry {
  const fields = record(value, place);
  const name = text(fields['name'], `${place}.name`);
  const plain = plainName(name);
  if (!plain.ok) throw new Malformed(`${place} names ${plain.reason}`);
  if (plain.value !== name || name === '') throw new Malformed(`${place} names no member`);
  const sha256 = text(fields['sha256'], `${place}.sha256`);
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Malformed(`${place}.sha256 is not a SHA-256`);
  return { name, bytes: count(fields['bytes'], `${place}.bytes`), sha256 };
}
