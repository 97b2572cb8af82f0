/** perf_event_open(2) for one purpose: a clock on one CPU with a BPF program behind it. Closing the descriptor detaches the program. */
import { refusal } from '../base/errno.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { firstLine, loadKoffi } from './koffi.ts';
import { libc } from './libc.ts';

/** `period`: nanoseconds of the CPU clock. `frequency`: samples per second that the kernel steers the cycle counter to. */
export type ClockEvent =
  { readonly kind: 'cpu-clock'; readonly periodNs: number } | { readonly kind: 'cycles'; readonly frequency: number };

interface Calls {
  readonly open: (
    number: number,
    attributes: Uint8Array,
    pid: number,
    cpu: number,
    group: number,
    flags: number,
  ) => number | bigint;
  readonly control: (fd: number, request: number, argument: number) => number;
  readonly close: (fd: number) => number;
  readonly errno: () => number;
}

/** __NR_perf_event_open: include/uapi/asm-generic/unistd.h and the tables of the two architectures that differ. */
const SYSCALL: Readonly<Partial<Record<NodeJS.Architecture, number>>> = {
  x64: 298,
  arm64: 241,
  riscv64: 241,
  loong64: 241,
  s390x: 331,
  ppc64: 319,
};

const FLAG_FD_CLOEXEC = 8;
const IOC_ENABLE = 0x2400;
const IOC_DISABLE = 0x2401;
const IOC_SET_BPF = 0x40042408;

const TYPE_HARDWARE = 0;
const TYPE_SOFTWARE = 1;
const COUNT_HW_CPU_CYCLES = 0;
const COUNT_SW_CPU_CLOCK = 0;
/** Bits of the flags word of struct perf_event_attr. exclude_idle is never set: it also hides softirqs that interrupt the idle task. */
const DISABLED = 1 << 0;
const EXCLUDE_USER = 1 << 4;
const EXCLUDE_HV = 1 << 6;
const FREQ = 1 << 10;
/** PERF_ATTR_SIZE_VER0: every kernel takes it. */
const ATTRIBUTE_BYTES = 64;

let loaded: Result<Calls> | undefined;

function calls(): Result<Calls> {
  loaded ??= load();
  return loaded;
}

function load(): Result<Calls> {
  const c = libc();
  if (!c.ok) return c;
  const koffi = loadKoffi();
  if (!koffi.ok) return koffi;
  try {
    const library = koffi.value.load(null);
    return ok({
      open: library.func('long syscall(long, void *, int, int, int, unsigned long)'),
      control: library.func('int ioctl(int, unsigned long, unsigned long)'),
      close: c.value.close,
      errno: c.value.errno,
    });
  } catch (error) {
    return fail(`perf_event_open could not be declared: ${firstLine(error)}`);
  }
}

function attributesOf(event: ClockEvent): Uint8Array {
  const bytes = Buffer.alloc(ATTRIBUTE_BYTES);
  const hardware = event.kind === 'cycles';
  bytes.writeUInt32LE(hardware ? TYPE_HARDWARE : TYPE_SOFTWARE, 0);
  bytes.writeUInt32LE(ATTRIBUTE_BYTES, 4);
  bytes.writeBigUInt64LE(BigInt(hardware ? COUNT_HW_CPU_CYCLES : COUNT_SW_CPU_CLOCK), 8);
  // A period, and no frequency, is not held against kernel.perf_event_max_sample_rate.
  bytes.writeBigUInt64LE(BigInt(event.kind === 'cycles' ? event.frequency : event.periodNs), 16);
  bytes.writeUInt32LE(DISABLED | EXCLUDE_USER | EXCLUDE_HV | (hardware ? FREQ : 0), 40);
  return bytes;
}

/** Opens the clock of one CPU, for whatever runs on it; it does not run yet. The descriptor is the caller's to close. */
export function openClock(event: ClockEvent, cpu: number): Result<number> {
  const number = SYSCALL[process.arch];
  if (number === undefined) return fail(`perf_event_open is not known on ${process.arch}`);
  const c = calls();
  if (!c.ok) return c;
  const fd = Number(c.value.open(number, attributesOf(event), -1, cpu, -1, FLAG_FD_CLOEXEC));
  return fd < 0 ? refusal(c.value.errno(), 'perf_event_open') : ok(fd);
}

/** @param program descriptor of a program of type perf_event */
export function runOnClock(fd: number, program: number): Result<void> {
  return control(fd, IOC_SET_BPF, program, 'PERF_EVENT_IOC_SET_BPF');
}

export function startClock(fd: number): Result<void> {
  return control(fd, IOC_ENABLE, 0, 'PERF_EVENT_IOC_ENABLE');
}

export function stopClock(fd: number): Result<void> {
  return control(fd, IOC_DISABLE, 0, 'PERF_EVENT_IOC_DISABLE');
}

export function closeClock(fd: number): void {
  const c = calls();
  if (c.ok) c.value.close(fd);
}

function control(fd: number, request: number, argument: number, name: string): Result<void> {
  const c = calls();
  if (!c.ok) return c;
  return c.value.control(fd, request, argument) < 0 ? refusal(c.value.errno(), name) : ok(undefined);
}
