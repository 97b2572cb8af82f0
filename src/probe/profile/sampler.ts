/**
 * The sampling profile of one window: a clock on every CPU, and a program behind it that counts stacks in the kernel. Held by
 * descriptors alone, so that nothing stays behind whatever becomes of the process.
 */
import { monotonicMs } from '../../base/clock.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { closeClock, startClock, stopClock } from '../../ffi/perf-event.ts';
import type { ProfileAnswer, ProfileClock, ProgramRow } from '../../profile/stacks.ts';
import type { Libbpf, LoadedObject, MapFd } from '../libbpf.ts';
import { KernelNames } from '../names.ts';
import { readObject } from '../objects.ts';
import type { Address } from '../address.ts';
import { percent, type Overhead } from '../overhead.ts';
import { inOrder } from '../watched.ts';
import { foldSamples, programsOn, type NamedAddress, type RawSamples } from './fold.ts';
import { CHAIN_BYTES, COMM_BYTES, COUNTS, type SamplerCounts, readChain, readSample, SAMPLE_BYTES } from './layout.ts';
import { programAt, programRanges } from './programs.ts';
import { samplingRate, USUAL_SAMPLE_NS } from './rate.ts';
import type { KernelSymbols } from '../symbols.ts';
import { openClocks } from './clocks.ts';
import { symbolsShown, onlineCpus } from './host.ts';

export interface SamplerOptions {
  readonly bpf: Libbpf;
  readonly objects: string;
  readonly procfs: string;
  readonly symbols: KernelSymbols;
  readonly sysfs: string;
  readonly windowSeconds: number;
  readonly overhead: Overhead;
  /** The probe's per-CPU state, which says whose packet a CPU has; without it no device is told. */
  readonly cpus?: MapFd | undefined;
  /** And whose program rests there; both or neither. */
  readonly home?: MapFd | undefined;
  /** Devices by the slot they have there. */
  readonly devices: () => readonly { readonly slot: number; readonly device: string; readonly netns: string }[];
  /** Ids of pktcost's own programs. */
  readonly ownPrograms: () => readonly number[];
}

/** In less time one crowded CPU would speak for all. */
const LEAST_TO_TELL_SECONDS = 1;

/** Those of another pktcost on the same host are as little the host's own. */
const OWN_PREFIX = 'pktcost_';

/** Tables for this many CPUs' worth of stacks, and no larger than these. */
const SAMPLES_PER_CPU = 4096;
const LEAST_SAMPLES = 16_384;
const MOST_SAMPLES = 131_072;

/** Times of the monotonic clock in milliseconds. What was counted is read once. */
type Sampling =
  | { readonly name: 'ready' }
  | { readonly name: 'running'; readonly since: number }
  | { readonly name: 'ended'; readonly seconds: number }
  | { readonly name: 'read'; readonly answer: Result<ProfileAnswer> };

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #object: LoadedObject;
  readonly #clocks: readonly number[];
  readonly #clock: ProfileClock;
  readonly #rate: number;
  readonly #online: number;
  readonly #names: Result<KernelNames>;
  #sampling: Sampling = { name: 'ready' };
  /** Clocks that run, of those that were opened. */
  #started: number;

  private constructor(
    options: SamplerOptions,
    object: LoadedObject,
    names: Result<KernelNames>,
    opened: { readonly clocks: readonly number[]; readonly clock: ProfileClock },
    rate: number,
    online: number,
  ) {
    this.#options = options;
    this.#object = object;
    this.#names = names;
    this.#clocks = opened.clocks;
    this.#started = opened.clocks.length;
    this.#clock = opened.clock;
    this.#rate = rate;
    this.#online = online;
  }

  /** Everything is made ready and nothing runs yet. */
  static async open(options: SamplerOptions): Promise<Result<Sampler>> {
    const shown = symbolsShown(options.procfs);
    if (!shown.ok) return shown;
    const online = onlineCpus(options.sysfs);
    if (!online.ok) return online;
    const rate = samplingRate(options.windowSeconds, online.value.length, options.overhead.limit);
    if (rate === undefined) return fail(`a budget of ${percent(options.overhead.limit)} leaves no room for samples`);
    const bytes = readObject(options.objects, 'sampler');
    if (!bytes.ok) return bytes;
    const entries = Math.min(MOST_SAMPLES, Math.max(LEAST_SAMPLES, online.value.length * SAMPLES_PER_CPU));
    const { cpus, home } = options;
    const object = await options.bpf.loadObject('pktcost', bytes.value, (opened) =>
      inOrder(
        () => opened.expectValueSize('pktcost_chains', CHAIN_BYTES),
        () => opened.setEntries('pktcost_samples', entries),
        () => opened.setEntries('pktcost_chains', entries / 4),
        () => (cpus === undefined ? ok(undefined) : opened.shareMap('pktcost_cpus', cpus)),
        () => (home === undefined ? ok(undefined) : opened.shareMap('pktcost_home', home)),
      ),
    );
    if (!object.ok) return object;
    const names = await KernelNames.open(options.bpf, options.objects);
    if (names.ok) options.symbols.askKernel((addresses) => names.value.name(addresses));
    const opened = openClocks(object.value, online.value, rate);
    if (!opened.ok) {
      if (names.ok) names.value.close();
      object.value.close();
      return opened;
    }
    const sampler = new Sampler(options, object.value, names, opened.value, rate, online.value.length);
    options.overhead.takes('profile', () => sampler.share);
    return ok(sampler);
  }

  start(): void {
    if (this.#sampling.name !== 'ready') return;
    const started = this.#clocks.map((clock) => startClock(clock));
    this.#started = started.filter(({ ok: runs }) => runs).length;
    const refused = started.find((each) => !each.ok);
    this.#sampling =
      this.#started === 0 && refused !== undefined
        ? { name: 'read', answer: refused }
        : { name: 'running', since: monotonicMs() };
  }

  get running(): boolean {
    return this.#sampling.name === 'running';
  }

  /** Ends the window; what was counted is read later. */
  stop(): void {
    if (this.#sampling.name !== 'running') return;
    this.#sampling = { name: 'ended', seconds: (monotonicMs() - this.#sampling.since) / 1000 };
    for (const clock of this.#clocks) stopClock(clock);
  }

  /** Before the window is over: that it samples. After: all of it, read once. */
  read(): Result<ProfileAnswer> {
    if (this.#sampling.name === 'ready' || this.#sampling.name === 'running') return ok(this.#empty(0));
    if (this.#sampling.name === 'read') return this.#sampling.answer;
    const answer = this.#readAll(this.#sampling.seconds);
    this.#sampling = { name: 'read', answer };
    return answer;
  }

  /** Of all CPU time, what it takes while it samples: as planned until there is enough to tell; nothing after the end. */
  get share(): number {
    const sampling = this.#sampling;
    if (sampling.name === 'ended' || sampling.name === 'read') return 0;
    const seconds = sampling.name === 'ready' ? 0 : (monotonicMs() - sampling.since) / 1000;
    const counts = seconds < LEAST_TO_TELL_SECONDS ? undefined : this.#readCounts();
    return counts?.ok === true
      ? counts.value.ownNs / (seconds * 1e9) / Math.max(1, this.#online)
      : (this.#rate * USUAL_SAMPLE_NS * this.#clocks.length) / 1e9 / Math.max(1, this.#online);
  }

  /** Of all CPU time while it sampled, the run time of its program; null before the end. */
  get cpuShare(): number | null {
    if (this.#sampling.name !== 'read' || !this.#sampling.answer.ok) return null;
    const { ownNs, seconds, online } = this.#sampling.answer.value;
    return ownNs === null || seconds <= 0 ? null : ownNs / (seconds * 1e9) / Math.max(1, online);
  }

  close(): void {
    this.stop();
    for (const clock of this.#clocks) closeClock(clock);
    this.#object.close();
    this.#options.symbols.askKernel(undefined);
    if (this.#names.ok) this.#names.value.close();
  }

  #empty(seconds: number): ProfileAnswer {
    return {
      version: 1,
      clock: this.#clock,
      periodNs: 1e9 / this.#rate,
      seconds,
      cpus: this.#started,
      online: this.#online,
      samples: 0,
      lost: { stacks: 0, table: 0, symbols: 0 },
      ownNs: 0,
      ownPid: process.pid,
      functions: [],
      stacks: [],
      processes: [],
      programs: [],
      devices: [],
    };
  }

  #readAll(seconds: number): Result<ProfileAnswer> {
    const counts = this.#readCounts();
    if (!counts.ok) return counts;
    const raw = this.#readRaw();
    if (!raw.ok) return raw;
    const { names, programs } = this.#name(raw.value);
    const folded = foldSamples(raw.value, (address) => names.get(address));
    const comms = this.#readComms();
    const pids = new Set(folded.stacks.map(({ pid }) => pid));
    const { samples, noStack, tableFull, ownNs } = counts.value;
    const devices = this.#options.devices();
    const bySlot = new Map(devices.map(({ slot }, index) => [slot, index]));
    return ok({
      ...this.#empty(seconds),
      samples,
      lost: { stacks: noStack, table: tableFull, symbols: folded.unresolved },
      ownNs,
      functions: folded.functions,
      stacks: folded.stacks.map((row) => ({
        ...row,
        device: row.device === null ? null : (bySlot.get(row.device) ?? null),
      })),
      processes: comms.filter(({ pid }) => pids.has(pid)),
      programs: programsOn(folded.functions, programs),
      devices: devices.map(({ device, netns }) => ({ device, netns })),
    });
  }

  #readCounts(): Result<SamplerCounts> {
    const { bpf } = this.#options;
    const map = this.#object.map('pktcost_sampler_counts');
    if (!map.ok) return map;
    const bytes = Buffer.alloc(8 * bpf.possibleCpus);
    const counts = { samples: 0, noStack: 0, tableFull: 0, ownNs: 0 };
    for (const [index, name] of COUNTS.entries()) {
      const key = Buffer.alloc(4);
      key.writeUInt32LE(index);
      const read = bpf.lookup(map.value, key, bytes);
      if (!read.ok) return read;
      for (let cpu = 0; cpu < bpf.possibleCpus; cpu += 1) counts[name] += Number(bytes.readBigUInt64LE(cpu * 8));
    }
    return ok(counts);
  }

  #readRaw(): Result<RawSamples> {
    const { bpf } = this.#options;
    const [samplesMap, chainsMap] = [this.#object.map('pktcost_samples'), this.#object.map('pktcost_chains')];
    if (!samplesMap.ok) return samplesMap;
    if (!chainsMap.ok) return chainsMap;
    const samples: RawSamples['samples'][number][] = [];
    const chains = new Map<string, readonly Address[]>();
    const read = inOrder(
      () =>
        bpf.visitEntries(samplesMap.value, { key: SAMPLE_BYTES, value: 8 }, (key, value) => {
          samples.push(readSample(key, value));
        }),
      () =>
        bpf.visitEntries(chainsMap.value, { key: 8, value: CHAIN_BYTES }, (key, value) => {
          chains.set(key.toString('latin1', 0, 8), readChain(value));
        }),
    );
    return read.ok ? ok({ samples, chains }) : read;
  }

  #readComms(): { readonly pid: number; readonly comm: string }[] {
    const map = this.#object.map('pktcost_comms');
    if (!map.ok) return [];
    const comms: { readonly pid: number; readonly comm: string }[] = [];
    this.#options.bpf.visitEntries(map.value, { key: 4, value: COMM_BYTES }, (key, value) => {
      const end = value.indexOf(0);
      comms.push({ pid: key.readUInt32LE(0), comm: value.toString('utf8', 0, end < 0 ? COMM_BYTES : end) });
    });
    return comms.sort((a, b) => a.pid - b.pid);
  }

  #name({ samples, chains }: RawSamples): {
    readonly names: ReadonlyMap<Address, NamedAddress>;
    readonly programs: ReadonlyMap<number, ProgramRow>;
  } {
    const { bpf, symbols: kernel, ownPrograms } = this.#options;
    const addresses = new Set<Address>();
    for (const { leaf } of samples) addresses.add(leaf);
    for (const chain of chains.values()) for (const address of chain) addresses.add(address);
    // Without symbols no address has a name, and the profile says how many samples that lost.
    const symbols = kernel.name(addresses);
    const ranges = programRanges(bpf);
    const own = new Set(ownPrograms());
    const programs = new Map<number, ProgramRow>();
    const names = new Map<Address, NamedAddress>();
    for (const address of addresses) {
      const program = programAt(ranges, address);
      if (program === undefined) {
        const name = symbols.get(address);
        if (name !== undefined) names.set(address, { name, program: null });
        continue;
      }
      const { id, name, type } = program;
      programs.set(id, { id, name, type, own: own.has(id) || name.startsWith(OWN_PREFIX) });
      names.set(address, { name: `bpf_prog:${name}#${id}`, program: id });
    }
    return { names, programs };
  }
}
