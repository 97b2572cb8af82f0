import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Report } from '../../../src/generated/report.ts';
import { command, compiled, PREFIX, type ProgramName } from './programs.ts';
import { Replays, type Keep } from './replays.ts';

/** A program running in a namespace. */
export interface Program {
  readonly pid: number;
  /** Ends it, waits until it is gone, and gives what it wrote to stdout. */
  stop(): Promise<string>;
  /** Waits for it to end by itself. */
  ended(): Promise<string>;
}

export interface Diagnosed {
  readonly report: Report;
  readonly exitCode: number;
}

export interface StartOptions {
  /** CPU to keep it on. */
  readonly cpu?: number;
}

/** One end of a veth pair. */
export interface End {
  readonly device: string;
  readonly v4: string;
  readonly v6: string;
}

/** A host of the scenario: a network namespace. */
export class Host {
  readonly netns: string;
  readonly #kit: Kit;
  readonly #enter: readonly string[];

  /** @param netns '' is the namespace the tests run in, where settings of the whole host can be read */
  constructor(netns: string, kit: Kit) {
    this.netns = netns;
    this.#kit = kit;
    this.#enter = netns === '' ? [] : ['ip', 'netns', 'exec', netns];
  }

  /** Runs to the end. Throws when it fails. */
  run(...argv: readonly string[]): string {
    return runOrThrow([...this.#enter, ...argv]);
  }

  read(path: string): string {
    return this.run('cat', path);
  }

  /** A setting that the kernel keeps per namespace; gone with it. */
  sysctl(settings: Readonly<Record<string, string | number>>): void {
    this.run('sysctl', '-qw', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`));
  }

  write(path: string, content: string): void {
    this.run('sh', '-c', 'printf %s "$1" > "$2"', 'sh', content, path);
  }

  nft(ruleset: string): void {
    this.run('sh', '-c', 'printf %s "$1" | nft -f -', 'sh', ruleset);
  }

  /** Starts a traffic maker and waits until it says that it is ready. */
  async make(
    name: ProgramName,
    options: Readonly<Record<string, string | number>>,
    start: StartOptions = {},
  ): Promise<Program> {
    const argv = Object.entries(options).flatMap(([key, value]) => [`--${key}`, `${value}`]);
    return this.start([compiled(name), ...argv], { ...start, ready: /^ready$/m });
  }

  /** Starts a program in the background, and waits for a word of its own on stdout or stderr. */
  async start(
    argv: readonly string[],
    { cpu, ready }: StartOptions & { readonly ready?: RegExp } = {},
  ): Promise<Program> {
    const pin = cpu === undefined ? [] : ['taskset', '-c', `${cpu}`];
    const [program = '', ...rest] = [...this.#enter, 'setpriv', '--pdeathsig', 'KILL', ...pin, ...argv];
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#kit.children.add(child);
    const said = collect(child);
    const gone = new Promise<void>((resolve) => {
      child.once('close', () => {
        this.#kit.children.delete(child);
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      if (ready === undefined) child.once('spawn', resolve);
      else {
        const look = (): void => {
          if (ready.test(said.out()) || ready.test(said.err())) resolve();
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        child.once('close', () => {
          reject(new Error(`${argv.join(' ')} ended before it was ready: ${said.err()}`));
        });
      }
    });
    const ended = async (): Promise<string> => {
      await gone;
      return said.out();
    };
    return {
      pid: child.pid ?? 0,
      ended,
      stop: async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
        const hard = setTimeout(() => child.kill('SIGKILL'), 5000);
        const out = await ended();
        clearTimeout(hard);
        return out;
      },
    };
  }

  /** Runs `pktcost diagnose` in this host as a user does. Only exit codes of a finished diagnosis pass. */
  async diagnose(...flags: readonly string[]): Promise<Diagnosed> {
    const window = flags.includes('--window') ? [] : ['--window', '3s'];
    const namespaces = flags.includes('--netns') ? [] : ['--netns', 'none'];
    const bundle = this.#kit.newBundle();
    const keep = flags.includes('--bundle') ? [] : ['--bundle', bundle];
    const { out, err, exitCode } = await this.pktcost(
      'diagnose',
      '--json',
      ...window,
      ...namespaces,
      ...keep,
      ...flags,
    );
    if (keep.length > 0) this.#kit.recorded.set(bundle, out);
    if (![0, 3, 4].includes(exitCode)) throw new Error(`pktcost diagnose: exit code ${exitCode}: ${err}`);
    return { report: JSON.parse(out) as Report, exitCode };
  }

  /** Runs any command of the built pktcost in this host. */
  async pktcost(...flags: readonly string[]): Promise<{ out: string; err: string; exitCode: number }> {
    const whole = [...this.#enter, 'setpriv', '--pdeathsig', 'KILL', process.execPath, command, ...flags];
    const [program = '', ...rest] = whole;
    const child = spawn(program, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: '' },
    });
    this.#kit.children.add(child);
    const said = collect(child);
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve(code ?? (signal === null ? 1 : 128));
      });
    });
    this.#kit.children.delete(child);
    return { out: said.out(), err: said.err(), exitCode };
  }
}

function collect(child: ChildProcess): { out: () => string; err: () => string } {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  return { out: () => out, err: () => err };
}

/** The hosts of one scenario, and everything that must be undone after it. */
export class Kit {
  static #made = 0;
  readonly children = new Set<ChildProcess>();
  /** The bundle of each diagnosis, and the report that was printed with it. */
  readonly recorded = new Map<string, string>();
  #bundles: string | undefined;
  #named = 0;
  readonly #netns: string[] = [];
  readonly #undo: (() => void)[] = [];
  #links = 0;

  /** The machine itself, for what can be seen only there. */
  itself(): Host {
    return new Host('', this);
  }

  host(): Host {
    const netns = `${PREFIX}${process.pid}-${Kit.#made++}`;
    runOrThrow(['ip', 'netns', 'add', netns]);
    this.#netns.push(netns);
    runOrThrow(['ip', '-n', netns, 'link', 'set', 'lo', 'up']);
    const host = new Host(netns, this);
    // A link-local address is tentative for a second or two, and nobody is asked for a neighbour before.
    host.sysctl({ 'net.ipv6.conf.default.accept_dad': 0, 'net.ipv6.conf.all.accept_dad': 0 });
    return host;
  }

  /** Joins two hosts by a veth pair, with addresses of the range for benchmarks (RFC 2544) and of our own. */
  link(a: Host, b: Host): readonly [End, End] {
    const n = this.#links++;
    const ends = [1, 2].map((host) => ({ device: `veth${n}`, v4: `198.18.${n}.${host}`, v6: `fd00:18:${n}::${host}` }));
    const [left, right] = ends as [End, End];
    runOrThrow([
      'ip',
      '-n',
      a.netns,
      'link',
      'add',
      left.device,
      'type',
      'veth',
      'peer',
      'name',
      right.device,
      'netns',
      b.netns,
    ]);
    for (const [host, end] of [
      [a, left],
      [b, right],
    ] as const) {
      const on = ['ip', '-n', host.netns];
      runOrThrow([...on, 'address', 'add', `${end.v4}/24`, 'dev', end.device]);
      runOrThrow([...on, 'address', 'add', `${end.v6}/64`, 'dev', end.device, 'nodad']);
      runOrThrow([...on, 'link', 'set', end.device, 'up']);
    }
    return [left, right];
  }

  /** A folder that goes with the scenario. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
    this.#undo.push(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    return folder;
  }

  /** A name for the bundle of the next diagnosis. */
  newBundle(): string {
    this.#bundles ??= this.folder();
    return join(this.#bundles, `${(this.#named += 1)}.tar.gz`);
  }

  /**
   * Changes a setting of the whole host and puts it back at the end. Only where that was allowed, and one run at a time:
   * a note holds the value from before, also for whoever finds it after a run that was killed.
   */
  async hostSetting(path: string, value: string): Promise<void> {
    if (!hostChangesAllowed())
      throw new Error(`${path} is a setting of the whole host: PKTCOST_HOST_CHANGES=1 allows it`);
    const note = noteOf(path);
    const deadline = Date.now() + 20_000;
    while (!makeNote(note, path)) {
      restoreFrom(note);
      if (Date.now() > deadline) throw new Error(`another run holds ${path}`);
      await pause(200);
    }
    this.#undo.push(() => {
      putBack(note);
    });
    writeFileSync(path, value);
  }

  /** Runs at the end, whatever happened; must be quick and synchronous. */
  undo(step: () => void): void {
    this.#undo.push(step);
  }

  /** Takes everything away, synchronously: it also runs while the process is being ended by a signal. */
  clear(): void {
    const failures: unknown[] = [];
    for (const child of this.children) child.kill('SIGKILL');
    for (const step of this.#undo.splice(0).reverse()) attempt(step, failures);
    for (const netns of this.#netns.splice(0))
      attempt(() => {
        removeNetns(netns);
      }, failures);
    if (failures.length > 0) throw new AggregateError(failures, 'the scenario could not be cleared away');
  }
}

function attempt(step: () => void, failures: unknown[]): void {
  try {
    step();
  } catch (error) {
    failures.push(error);
  }
}

/** Ends what still runs in a namespace, and removes it with its devices. */
export function removeNetns(netns: string): void {
  for (const pid of runOrThrow(['ip', 'netns', 'pids', netns]).split('\n')) {
    if (pid !== '') attempt(() => process.kill(Number(pid), 'SIGKILL'), []);
  }
  runOrThrow(['ip', 'netns', 'delete', netns]);
}

/** Namespaces of scenarios whose test no longer runs. */
export function leftNamespaces(): string[] {
  return listNetns().filter((name) => {
    const pid = /^pktc-(\d+)-\d+$/.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
}

function listNetns(): string[] {
  return runOrThrow(['ip', 'netns', 'list'])
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
}

interface Note {
  readonly pid: number;
  readonly path: string;
  readonly before: string;
}

function noteOf(path: string): string {
  return join(tmpdir(), `${PREFIX}setting${path.replaceAll('/', '-')}`);
}

function makeNote(note: string, path: string): boolean {
  try {
    const before = readFileSync(path, 'utf8').trim();
    writeFileSync(note, JSON.stringify({ pid: process.pid, path, before } satisfies Note), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function putBack(note: string): void {
  const { path, before } = JSON.parse(readFileSync(note, 'utf8')) as Note;
  writeFileSync(path, before);
  rmSync(note);
}

/** Puts a setting back whose run is dead; says which. */
function restoreFrom(note: string): string | undefined {
  let content: string;
  try {
    content = readFileSync(note, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (content === '') return undefined;
  const { pid, path } = JSON.parse(content) as Note;
  if (isAlive(pid)) return undefined;
  putBack(note);
  return path;
}

/** Settings that a killed run left changed; they are put back now. */
export function leftSettings(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(`${PREFIX}setting`))
    .flatMap((name) => restoreFrom(join(tmpdir(), name)) ?? []);
}

export function isAlive(pid: number): boolean {
  return readdirSync('/proc').includes(`${pid}`);
}

export function hostChangesAllowed(): boolean {
  return process.env['PKTCOST_HOST_CHANGES'] === '1';
}

export function runOrThrow(argv: readonly string[]): string {
  const [program = '', ...rest] = argv;
  const { status, stdout, stderr, error } = spawnSync(program, rest, { encoding: 'utf8', timeout: 20_000 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

const live = new Set<Kit>();
process.on('exit', clearAll);
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.on(signal, () => {
    clearAll();
    process.exit(128 + number);
  });
}

function clearAll(): void {
  for (const kit of live) {
    live.delete(kit);
    attempt(() => {
      kit.clear();
    }, []);
  }
}

/**
 * Gives hosts to a scenario and takes them away after it: on success, failure, timeout and signals. The time is for a
 * machine without a CPU to spare, where a window of 3 s takes 10; traffic is made for half of it, or until then.
 * What was recorded is replayed when they are gone, or by whom `later` gives it to.
 */
export async function withHosts<T>(run: (kit: Kit) => Promise<T>, seconds = 50, later?: Keep): Promise<T> {
  const kit = new Kit();
  const replays = new Replays();
  live.add(kit);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not done within ${seconds} s`));
    }, seconds * 1000);
  });
  let result: T;
  try {
    result = await Promise.race([run(kit), late]);
    for (const [bundle, report] of kit.recorded) (later ?? replays.of('this scenario'))(bundle, report);
  } finally {
    clearTimeout(timer);
    live.delete(kit);
    kit.clear();
  }
  await replays.all();
  return result;
}

export async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
