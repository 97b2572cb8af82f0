import { kernelFeature, runAsRoot, unameInfo } from '../metrics/catalogue/index.ts';
import { isSince } from '../base/release.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { utf8Text } from './cursor.ts';
import { parseLine } from './parse.ts';
import { parsePressure } from './pressure.ts';

const kernel = '/proc/sys/kernel';

export const host = defineCollector({
  id: 'host',
  turn: 240,
  scope: 'host',
  reads: [
    `${kernel}/{ostype,osrelease,version,hostname,domainname,arch}`,
    '/proc/pressure/irq',
    '/sys/kernel/btf',
    '/proc/self/status',
  ],
  exporterName: 'uname',
  // Versions of four numbers look like addresses.
  holds: { [`${kernel}/{hostname,domainname}`]: 'host-name', [`${kernel}/**`]: 'nothing' },
  collect(host, emit) {
    const release = host.parse(`${kernel}/osrelease`, parseLine);
    if (release !== undefined) {
      const line = (name: string): string => host.parse(`${kernel}/${name}`, parseLine) ?? '';
      const sysname = line('ostype');
      const version = line('version');
      const nodename = line('hostname');
      const domainname = line('domainname');
      // Since 6.1 there is a file for it; before that only uname(2) knows.
      const machine =
        host.parseIfPresent(`${kernel}/arch`, parseLine) ?? host.dumpIfPresent('sysconf', decodeMachine) ?? '';
      emit(unameInfo, { sysname, release, version, machine, nodename, domainname }, 1);
    } else {
      // A copy may have the name alone.
      const nodename = host.parseIfPresent(`${kernel}/hostname`, parseLine) ?? '';
      const others = { sysname: '', release: '', version: '', machine: '', domainname: '' };
      if (nodename !== '') emit(unameInfo, { ...others, nodename }, 1);
    }
    collectIrqTimeAccounting(host, emit, release);
    collectPerNetnsTaps(emit, release);
    collectBtf(host, emit);
    const uid = host.parseIfPresent('/proc/self/status', parseEffectiveUid);
    if (uid !== undefined) emit(runAsRoot, {}, uid === 0 ? 1 : 0);
  },
});

/**
 * Whether softirq time is measured or sampled by the tick. /proc/pressure/irq exists exactly when IRQ_TIME_ACCOUNTING is
 * built in, but only since 6.1 and with PSI on. Before, only /proc/kallsyms would tell: more than 10 MB that the kernel
 * formats anew for each reader, so the feature stays unknown there. A file that is there and cannot be read (EOPNOTSUPP:
 * switched off at run time) is a gap.
 */
function collectIrqTimeAccounting(host: Host, emit: Emit, release: string | undefined): void {
  const feature = 'irq_time_accounting';
  const files = host.listIfPresent('/proc/pressure');
  if (files.includes('irq')) {
    if (host.parse('/proc/pressure/irq', parsePressure) !== undefined) emit(kernelFeature, { feature }, 1);
  } else if (files.includes('cpu') && isSince(release, '6.1') === true) {
    emit(kernelFeature, { feature }, 0);
  }
}

/**
 * Whether each namespace has its own list of taps: not up to 6.12, yes from 6.18 on (net/core/net-procfs.c:ptype_seq_show
 * in those trees). In between only BTF tells, and the probe's collector reads that.
 */
function collectPerNetnsTaps(emit: Emit, release: string | undefined): void {
  const version = /^(\d+)\.(\d+)/.exec(release ?? '');
  if (version === null) return;
  const number = Number(version[1]) * 1000 + Number(version[2]);
  if (number <= 6012) emit(kernelFeature, { feature: 'per_netns_taps' }, 0);
  if (number >= 6018) emit(kernelFeature, { feature: 'per_netns_taps' }, 1);
}

/** Of the four user ids in /proc/PID/status the second is the effective one (fs/proc/array.c:task_state). */
export function parseEffectiveUid(bytes: Uint8Array): Result<number> {
  const uid = /^Uid:\t\d+\t(\d+)\t/m.exec(utf8Text(bytes))?.[1];
  return uid === undefined ? fail('no line of user ids', 0) : ok(Number(uid));
}

/** The directory is listed and vmlinux, 5 MB, not read. Without /sys/kernel there is nothing to conclude from. */
function collectBtf(host: Host, emit: Emit): void {
  const present = host.listIfPresent('/sys/kernel/btf').includes('vmlinux');
  if (present || host.listIfPresent('/sys/kernel').length > 0) emit(kernelFeature, { feature: 'btf' }, present ? 1 : 0);
}

function decodeMachine(answer: unknown): Result<string> {
  const machine = typeof answer === 'object' && answer !== null && 'machine' in answer ? answer.machine : undefined;
  return typeof machine === 'string' ? ok(machine) : fail('no machine among the system constants');
}
