import { deviceInterrupts, deviceIrq, interrupts as interruptsMetric } from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { cpuColumns } from './columns.ts';
import { U32_MAX, utf8Text, wholeLines } from './cursor.ts';
import { parseLine, parseNumber } from './parse.ts';
import { pciAddress } from './pcie.ts';

const file = '/proc/interrupts';
const net = '/sys/class/net';

export const interrupts = defineCollector({
  id: 'interrupts',
  turn: 40,
  scope: 'host',
  reads: [file, `${net}/*`, '/sys/devices/**/{msi_irqs,irq}', '/proc/irq/*/{smp,effective}_affinity_list'],
  perDevice: true,
  collect(host, emit) {
    const lines = new Map<string, InterruptLine>();
    for (const line of host.parse(file, parseInterrupts) ?? []) {
      const { type, info, devices, counts } = line;
      lines.set(type, line);
      for (const { cpu, count } of counts) emit(interruptsMetric, { cpu, type, info, devices }, count);
    }
    const devices = host.list(net);
    const known = devices?.some((device) => host.link(`${net}/${device}`) !== undefined) ?? false;
    if (!known && devices?.length !== 0) host.gap(file, `which device has which interrupt is not known without ${net}`);
    for (const device of devices ?? []) {
      const target = host.link(`${net}/${device}`);
      const directory = target === undefined ? undefined : deviceDirectory(target);
      if (directory !== undefined) collectDeviceIrqs(host, emit, lines, device, directory);
    }
  },
});

/**
 * All the IRQs of the PCI function behind a network device. Two ports of one function (mlx4) both get all of them, since
 * nothing but the names that drivers choose tells whose is whose.
 */
function collectDeviceIrqs(
  host: Host,
  emit: Emit,
  lines: ReadonlyMap<string, InterruptLine>,
  device: string,
  directory: string,
): void {
  // A virtio device has none of its own: the interrupts are those of the PCI function above it.
  const pci = directory.replace(/\/virtio\d+$/, '');
  let irqs = host.listIfPresent(`${pci}/msi_irqs`).filter((name) => /^\d+$/.test(name));
  if (irqs.length === 0) {
    const legacy = host.parseIfPresent(`${pci}/irq`, parseNumber);
    irqs = legacy === undefined || legacy <= 0 ? [] : [`${legacy}`];
  }
  // A copy seldom has the folder: most drivers name the device in the names of its interrupts.
  if (irqs.length === 0) irqs = namedAfter(lines, device, directory);
  if (irqs.length === 0 && !host.hasNone(`${pci}/msi_irqs`))
    host.gap(file, `which interrupts ${device} has is not known`);
  for (const type of irqs) {
    const affinity = host.parseIfPresent(`/proc/irq/${type}/smp_affinity_list`, parseLine) ?? '';
    // Missing without GENERIC_IRQ_EFFECTIVE_AFF_MASK, empty for an interrupt that nobody requested.
    const effective = host.parseIfPresent(`/proc/irq/${type}/effective_affinity_list`, parseLine) ?? '';
    emit(deviceIrq, { device, type, affinity, effective_affinity: effective }, 1);
    // Counted here, since PromQL cannot join interrupts of several CPUs with several devices.
    for (const { cpu, count } of lines.get(type)?.counts ?? []) emit(deviceInterrupts, { device, cpu, type }, count);
  }
}

/**
 * The lines whose action is called after the device (`eth0-TxRx-3`, `mlx5-eth0-1`), its PCI function
 * (`mlx5_comp0@pci:0000:3b:00.0`) or its virtio device (`virtio0-input.0`).
 */
function namedAfter(lines: ReadonlyMap<string, InterruptLine>, device: string, directory: string): string[] {
  const hardware = directory.split('/').at(-1) ?? '';
  const names = /^virtio\d+$/.test(hardware) ? [device, hardware] : [device];
  const pci = pciAddress(hardware) === undefined ? undefined : hardware;
  const isOf = (irqName: string): boolean =>
    irqName.split(/[-:@]/).some((name) => names.includes(name)) ||
    (pci !== undefined && irqName.split('@')[1]?.replace(/^pci:/, '') === pci);
  return [...lines.values()]
    .filter(({ type, devices }) => /^\d+$/.test(type) && devices.split(/[\s,]+/).some(isOf))
    .map(({ type }) => type);
}

/**
 * The directory of the hardware behind a network device, from the target of /sys/class/net/X; undefined for virtual
 * devices. `X/device/..` would say the same to the kernel, but not to a reader that resolves paths as text.
 */
export function deviceDirectory(target: string): string | undefined {
  const path = /^(?:\.\.\/)+(devices\/.+)\/net\/[^/]+$/.exec(target)?.[1];
  return path === undefined || /^devices\/virtual(\/|$)/.test(path) ? undefined : `/sys/${path}`;
}

interface InterruptLine {
  /** The IRQ number, or the architecture's name such as NMI or LOC. */
  readonly type: string;
  readonly info: string;
  readonly devices: string;
  /** Cells that are not zero. */
  readonly counts: readonly { readonly cpu: string; readonly count: number }[];
}

/** 2,000 CPUs of which each serves the 200 interrupts that x86 has vectors for. */
const MOST_CELLS = 400_000;
/** Behind the counts; what shares a line with others is some hundred bytes. */
const LONGEST_NAME = 1024;

const COLON = 58;
const LF = 10;
const SPACE = 32;

/**
 * Parses /proc/interrupts: a header of the online CPUs, then `name: counts chip trigger actions`. Labels are formed as
 * node_exporter does: for a numbered IRQ `info` is the first word after the counts and `devices` all the others, so on
 * kernels that print the hwirq it is part of `devices`; a named row has only `info`. Left out: rows that never fired, and
 * rows without text (ERR and MIS, one number for the whole host). The header, not the position, says whose a column is:
 * offline CPUs have none. A CPU that came or went while the file was read makes rows of another length: an error.
 * Source: kernel/irq/proc.c:show_interrupts, arch/x86/kernel/irq.c:arch_show_interrupts.
 */
export function parseInterrupts(bytes: Uint8Array): Result<readonly InterruptLine[]> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const header = cpuColumns(whole.value);
  if (!header.ok) return header;
  const cpus = header.value;
  const lines: InterruptLine[] = [];
  let cells = 0;
  // 512 CPUs and 2,000 IRQs make 11 MB, nearly all of it blanks and zeros: bytes are looked at once, in place.
  for (let at = whole.value.at; at < bytes.length;) {
    const end = bytes.indexOf(LF, at);
    const colon = bytes.indexOf(COLON, at);
    if (at === end) {
      // Some kernels print an empty line after MIS.
      at += 1;
      continue;
    }
    if (colon < 0 || colon > end) return fail('a row without the name of an interrupt', at);
    const type = utf8Text(bytes.subarray(at, colon)).trim();
    const counts: { cpu: string; count: number }[] = [];
    let column = 0;
    for (at = colon + 1; column < cpus.length; column += 1) {
      while (bytes[at] === SPACE) at += 1;
      const start = at;
      let count = 0;
      for (let digit = bytes[at]! - 48; digit >= 0 && digit <= 9; digit = bytes[at]! - 48) {
        count = count * 10 + digit;
        at += 1;
      }
      if (at === start || (bytes[at] !== SPACE && bytes[at] !== LF)) {
        at = start;
        break;
      }
      if (count > U32_MAX) return fail(`interrupt ${type}: a count above 32 bits`, start);
      if (count > 0) counts.push({ cpu: cpus[column]!, count });
    }
    cells += counts.length;
    if (cells > MOST_CELLS) return fail(`more than ${MOST_CELLS} counts`, at);
    const rest = utf8Text(bytes.subarray(at, Math.min(end, at + LONGEST_NAME))).trim();
    const complete = column === cpus.length;
    if (complete ? /^\d+(\s|$)/.test(rest) : column !== 1 || rest !== '') {
      return fail(`interrupt ${type}: not one count for each of ${cpus.length} CPUs`, at);
    }
    if (complete && rest !== '' && counts.length > 0) {
      const words = rest.split(/\s+/);
      const named = /^\d+$/.test(type) ? 1 : words.length;
      lines.push({ type, info: words.slice(0, named).join(' '), devices: words.slice(named).join(' '), counts });
    }
    at = end + 1;
  }
  return ok(lines);
}
