/**
 * Two network namespaces joined by a veth pair, with traffic bounded in time, for tests and benchmarks. Names carry the pid, and
 * everything made here is removed by `close`, or when the process ends.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inNamespace } from '../../src/ffi/namespaces.ts';
import { readDeviceFacts, type DeviceFacts, type NetnsTarget } from '../../src/probe/facts.ts';
import { lacking } from '../support/needs.ts';

/** Why the tests on real devices cannot run here. */
export function whyNoLab(): string | false {
  return lacking({ root: true, tools: ['ip', 'tc', 'tcpdump', 'iperf3', 'bpftool'] });
}

export function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
}

let serial = 0;

export interface Throughput {
  /** Packets sent (UDP) or bits per second received (TCP). */
  readonly packets: number;
  readonly bitsPerSecond: number;
  readonly seconds: number;
}

export class Lab {
  readonly sender: string;
  readonly receiver: string;
  readonly device = 'pcin0';
  readonly peer = 'pcout0';
  readonly #children = new Set<ChildProcess>();
  #closed = false;

  constructor() {
    const id = `${String(process.pid)}-${String(serial++)}`;
    this.sender = `pktc-s-${id}`;
    this.receiver = `pktc-r-${id}`;
    process.once('exit', this.#atExit);
    run('ip', 'netns', 'add', this.sender);
    run('ip', 'netns', 'add', this.receiver);
    run(
      'ip',
      'link',
      'add',
      this.peer,
      'netns',
      this.sender,
      'type',
      'veth',
      'peer',
      'name',
      this.device,
      'netns',
      this.receiver,
    );
    for (const [netns, device, address] of [
      [this.sender, this.peer, '10.9.0.1/24'],
      [this.receiver, this.device, '10.9.0.2/24'],
    ] as const) {
      run('ip', 'netns', 'exec', netns, 'sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1');
      run('ip', '-n', netns, 'addr', 'add', address, 'dev', device);
      run('ip', '-n', netns, 'link', 'set', device, 'up');
      run('ip', '-n', netns, 'link', 'set', 'lo', 'up');
    }
  }

  readonly #atExit = (): void => {
    this.#teardown();
  };

  #teardown(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const child of this.#children) child.kill('SIGKILL');
    for (const netns of [this.sender, this.receiver]) {
      if (existsSync(`/run/netns/${netns}`)) run('ip', 'netns', 'del', netns);
    }
  }

  async close(): Promise<void> {
    const ended = [...this.#children].map((child) => whenEnded(child));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
    this.#teardown();
    process.off('exit', this.#atExit);
  }

  target(netns = this.receiver): NetnsTarget {
    const path = `/run/netns/${netns}`;
    return { id: String(statSync(path).ino), path };
  }

  /** Frames as a NIC delivers them: of one segment each, merged by GRO in the NAPI of the receiving end. */
  mergeFrames(): void {
    for (const [netns, device] of [
      [this.receiver, this.device],
      [this.sender, this.peer],
    ] as const)
      run('ip', 'netns', 'exec', netns, 'ethtool', '-K', device, 'gro', 'on', 'tso', 'off', 'gso', 'off');
  }

  /** Facts about the receiving device, as the probe would gather them. */
  facts(netns = this.receiver, device = this.device): DeviceFacts {
    const facts = readDeviceFacts(this.target(netns), [device]);
    if (!facts.ok) throw new Error(facts.reason);
    const [first] = facts.value;
    if (!first) throw new Error(`${device} is not there`);
    return first;
  }

  start(netns: string, command: string, ...args: string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', netns, command, ...args], { stdio: 'ignore' });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  async stop(child: ChildProcess): Promise<void> {
    const ended = whenEnded(child);
    child.kill('SIGTERM');
    await ended;
  }

  /** A tcpdump that captures everything and keeps nothing; resolves once its hook is there. */
  async tcpdump(device = this.device, ...filter: string[]): Promise<ChildProcess> {
    const before = this.hooks();
    const child = this.start(this.receiver, 'tcpdump', '-i', device, '-w', '/dev/null', '-Z', 'root', ...filter);
    for (let waited = 0; this.hooks() <= before; waited += 50) {
      if (waited > 5000) throw new Error('tcpdump did not start');
      await sleep(50);
    }
    return child;
  }

  hooks(netns = this.receiver): number {
    return run('ip', 'netns', 'exec', netns, 'cat', '/proc/net/ptype')
      .split('\n')
      .filter((line) => line.startsWith('ALL')).length;
  }

  async serve(): Promise<void> {
    this.start(this.receiver, 'iperf3', '-s');
    for (
      let waited = 0;
      !run('ip', 'netns', 'exec', this.receiver, 'ss', '-Hltn', 'sport', '=', ':5201').includes('5201');
      waited += 50
    ) {
      if (waited > 5000) throw new Error('iperf3 did not start');
      await sleep(50);
    }
  }

  /** Bytes and packets which the receiving device has taken in, before GRO. */
  received(): { readonly bytes: number; readonly packets: number } {
    const text = inNamespace(`/run/netns/${this.receiver}`, () => readFileSync('/proc/thread-self/net/dev', 'utf8'));
    const fields = (text.ok ? text.value : '')
      .split('\n')
      .find((line) => line.includes(`${this.device}:`))
      ?.split(':')[1];
    const [bytes, packets] = (fields ?? '').trim().split(/\s+/).map(Number);
    return { bytes: bytes ?? 0, packets: packets ?? 0 };
  }

  /** iperf3 for so many seconds; UDP datagrams of 64 bytes at the given packet rate, or as fast as it goes. */
  async traffic(kind: 'tcp' | 'udp', seconds: number, packetsPerSecond = 0): Promise<Throughput> {
    const udp = ['-u', '-l', '64', '-b', packetsPerSecond === 0 ? '0' : String(packetsPerSecond * 64 * 8)];
    const child = spawn(
      'ip',
      [
        'netns',
        'exec',
        this.sender,
        'iperf3',
        '-c',
        '10.9.0.2',
        '-J',
        '-t',
        String(seconds),
        ...(kind === 'udp' ? udp : []),
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.#children.add(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    await whenEnded(child);
    this.#children.delete(child);
    const end = (JSON.parse(text) as { end: { sum?: Sum; sum_received?: Sum } }).end;
    const sum = kind === 'tcp' ? end.sum_received : end.sum;
    if (!sum) throw new Error('iperf3 gave no result');
    return { packets: sum.packets ?? 0, bitsPerSecond: sum.bits_per_second, seconds: sum.seconds };
  }
}

interface Sum {
  packets?: number;
  bits_per_second: number;
  seconds: number;
}

function whenEnded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
}
