import { parseLine } from '../collectors/parse.ts';
import { parseThreadStat } from '../collectors/processes.ts';
import { daemonOf } from '../facts/daemons.ts';
import type { Report } from '../generated/report.ts';
import { errnoWords } from '../base/errno.ts';
import { ok, type Failure, type Result } from '../base/result.ts';
import { ELSEWHERE, NOWHERE } from '../metrics/snapshot.ts';
import type { Call, SampleRecording } from '../sources/recording.ts';
import type { RunFacts } from './manifest.ts';
import { fileRedactor } from './redact-files.ts';
import { redactedEntry, redactedGroupFile } from './redact-groups.ts';
import { Tokens } from './tokens.ts';

/** Programs that collectors look for by the front of their names: the front stays. */
const KNOWN_FRONTS = /^(?:qemu|kvm$|cloud-hyp|crosvm)/;
/** Names that the kernel gives to threads of the packet path wherever they run. */
const KERNEL_NAMES = /^(?:vhost-\d+|ovs-vswitchd|napi\/.*|ksoftirqd\/\d+)$/;
/** Tables and chains that every host has; the others are named by people, after whom they keep out. */
const PLAIN_FILTER =
  /^(?:filter|nat|mangle|raw|security|broute|PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING|prerouting|input|forward|output|postrouting|ingress|egress)$/;
/** systemd names a USB NIC, and others on request, after the MAC; wherever the name is told, in whichever namespace. */
const NAMED_BY_MAC = /(?<![A-Za-z0-9])(?<front>(?:en|ib|sl|wl|ww)x)(?<mac>[0-9a-f]{12})(?![A-Za-z0-9])/g;

const OPEN_FILE = /^\/proc\/[^/]+\/fd\//;

/** What stays as it is on pktcost's own command line. */
const PLAIN_ARGUMENT =
  /^(?:--[a-z][a-z.-]*|-[a-zA-Z]|diagnose|record|\d+(?:\.\d+)?(?:ms|s|m|h)|auto|off|text|json|html|markdown|critical|warning|never|all|none)$/;

/** Stands for what is not to be redacted; no text of a host has one. */
const KEPT = '\u0000';

/**
 * Takes names and addresses out of recorded samples. Made for the samples of one bundle, whose names it learns first; see
 * docs/PRIVACY.md for what stays. Names of devices stay, and so do those of kernel threads and of programs that rules know
 * by their name, without which the verdict would be another one.
 */
export class Redaction {
  readonly #tokens: Tokens;
  readonly #namespaces = new Set<string>();
  /** Originals and their tokens, longest first, for texts that may hold any of them. */
  readonly #words: readonly (readonly [RegExp, string])[];

  constructor(samples: readonly SampleRecording[], tokens = new Tokens()) {
    this.#tokens = tokens;
    const hosts = new Set<string>();
    const devices = new Set<string>();
    for (const sample of samples) {
      for (const { name } of sample.namespaces) if (name !== '') this.#namespaces.add(name);
      for (const call of sample.calls) {
        if (call.op === 'read' && /^\/proc\/sys\/kernel\/(?:host|domain)name$/.test(call.path) && call.answer.ok) {
          const line = parseLine(call.answer.value);
          if (line.ok && line.value.length > 2) hosts.add(line.value);
        }
        if (call.op === 'list' && call.path === '/sys/class/net' && call.answer.ok) {
          for (const name of call.answer.value) devices.add(name);
        }
      }
    }
    this.#words = [
      ...[...this.#namespaces].map((name) => [name, tokens.namespace(name)] as const),
      ...[...hosts].filter((name) => !devices.has(name)).map((name) => [name, tokens.host(name)] as const),
    ]
      .filter(([name, token]) => name.length > 2 && name !== token)
      .sort(([a], [b]) => b.length - a.length)
      .map(([name, token]) => [wholeWord(name), token]);
  }

  sample(recording: SampleRecording): SampleRecording {
    return {
      ...recording,
      calls: recording.calls.map((call) => this.#call(call)),
      namespaces: recording.namespaces.map(({ name, path, calls, refused }) => ({
        name: this.#tokens.namespace(name),
        path: this.#path(path),
        calls: calls.map((call) => this.#call(call)),
        refused: refused === null ? null : this.#failure(refused),
      })),
    };
  }

  run(run: RunFacts): RunFacts {
    return {
      ...run,
      devices: run.devices.map((device) => this.#renamed(device)),
      baseline: run.baseline === null ? null : 'baseline.json',
      probe: this.#json(run.probe) as RunFacts['probe'],
      selfCost: this.#json(run.selfCost) as RunFacts['selfCost'],
    };
  }

  commandLine(words: readonly string[]): readonly string[] {
    return words.map((word) => (PLAIN_ARGUMENT.test(word) ? word : this.#tokens.argument(word)));
  }

  /** The figures of an earlier report; what it said in words is left out. */
  baseline(report: Report): Report {
    return this.#json({
      ...report,
      host: {
        ...report.host,
        hostname: report.host.hostname === null ? null : this.#tokens.host(report.host.hostname),
      },
      verdict: { ...report.verdict, headline: '', answer: null, causes: [] },
      findings: [],
      taps: [],
      notMeasured: [],
      collectors: [],
      baseline: null,
    }) as Report;
  }

  #call(call: Call): Call {
    const path = this.#renamed(redactedGroupFile(call.path, this.#tokens));
    switch (call.op) {
      case 'read':
        return { ...call, path, answer: this.#answer(call.answer, (bytes) => this.#file(call.path, bytes)) };
      case 'list':
        return {
          ...call,
          path,
          answer: this.#answer(call.answer, (names) =>
            names.map((name) => this.#renamed(redactedEntry(call.path, name, this.#tokens))),
          ),
        };
      case 'link':
        return { ...call, path, answer: this.#answer(call.answer, (target) => this.#target(call.path, target)) };
      case 'dump':
        return { ...call, path, answer: this.#answer(call.answer, (value) => this.#json(value)) };
    }
  }

  /** Of an open file its kind is kept, and what every host has: `socket:[7]`, `/dev/null`. */
  #target(path: string, target: string): string {
    const isFile = OPEN_FILE.test(path) && target.startsWith('/') && !/^\/dev\/\w+$/.test(target);
    return isFile ? `/${this.#tokens.file(target)}` : this.#renamed(target);
  }

  #answer<T>(answer: Result<T>, how: (value: T) => T): Result<T> {
    return answer.ok ? ok(how(answer.value)) : this.#failure(answer);
  }

  #file(path: string, bytes: Uint8Array): Uint8Array {
    const redact = fileRedactor(path);
    // As latin1 every byte is one character, and comes back as it was.
    let text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    text = redact(text, this.#tokens, (comm) => this.#latin1Comm(comm, isKernelThread(bytes)));
    return Buffer.from(this.#renamed(text), 'latin1');
  }

  /** The name in a file's text; in a dump the same name is decoded as UTF-8, and must have the same token. */
  #latin1Comm(comm: string, kernelThread: boolean): string {
    const name = Buffer.from(comm, 'latin1').toString();
    const token = this.#comm(name, kernelThread);
    return token === name ? comm : token;
  }

  #comm(comm: string, kernelThread = false): string {
    if (kernelThread || KERNEL_NAMES.test(comm) || daemonOf(comm) !== undefined) return comm;
    const front = KNOWN_FRONTS.exec(comm)?.[0];
    const token = this.#tokens.process(comm);
    // A name has 15 bytes.
    return front === undefined || comm === front ? (front ?? token) : `${front}-${token.slice(5)}`.slice(0, 15);
  }

  /** The words of an errno say nothing of anybody. */
  #failure(failure: Failure): Failure {
    const { reason, errno } = failure;
    const words = errno === undefined ? undefined : errnoWords(errno);
    if (words === undefined) return { ...failure, reason: this.#text(reason) };
    return { ...failure, reason: this.#text(reason.replace(words, KEPT)).replace(KEPT, words) };
  }

  /** The probe numbers namespaces it has no name for. */
  #namespaceToken(name: string): string {
    if (name === ELSEWHERE || name === NOWHERE) return name;
    return /^\d*$/.test(name) && !this.#namespaces.has(name) ? name : this.#tokens.namespace(name);
  }

  #path(path: string): string {
    return path
      .split('/')
      .map((part) => (this.#namespaces.has(part) ? this.#tokens.namespace(part) : this.#renamed(part)))
      .join('/');
  }

  #text(text: string): string {
    let redacted = this.#renamed(text);
    for (const [word, token] of this.#words) redacted = redacted.replace(word, token);
    return this.#tokens.addresses(redacted);
  }

  #renamed(text: string): string {
    return text.replace(NAMED_BY_MAC, (_, front: string, mac: string) => `${front}${this.#tokens.macDigits(mac)}`);
  }

  #json(value: unknown, key = ''): unknown {
    if (typeof value === 'string') {
      if (this.#namespaces.has(value) || key === 'netns') return this.#namespaceToken(value);
      if (key === 'table' || key === 'chain') return PLAIN_FILTER.test(value) ? value : this.#tokens.filter(value);
      return key === 'comm' ? this.#comm(value) : this.#text(value);
    }
    if (Array.isArray(value)) return value.map((each) => this.#json(each, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.#json(each, name)]));
  }
}

function isKernelThread(bytes: Uint8Array): boolean {
  const stat = parseThreadStat(bytes);
  return stat.ok && stat.value.kernelThread;
}

function wholeWord(name: string): RegExp {
  return new RegExp(`(?<![\\w-])${name.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')}(?![\\w-])`, 'g');
}
