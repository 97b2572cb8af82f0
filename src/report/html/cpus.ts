import type { CpuCost, Report } from '../../generated/report.ts';
import { cpuTable } from '../tables/cpus.ts';
import { interruptTime, placed } from '../words/phrases.ts';
import { formats, significant } from '../words/formats.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { classOf, drawTable, folded, name } from './table.ts';

/** From so many CPUs on each is a small square. */
const MANY = 96;
/** Hosts with more CPUs than this do not fit a table one would read. */
const ROWS = 1024;

/** Packet work where it was done: CPUs by NUMA node, the ones meant for other work set apart. */
export function cpuSection({ cost }: Report): Markup {
  const { cpus, devices } = cost;
  if (cpus.length === 0) return nothing;
  const nodes = [...new Set(cpus.map(({ numaNode }) => numaNode))].sort((a, b) => (a ?? -1) - (b ?? -1));
  const most = Math.max(...cpus.map(({ packetsPerSecond }) => packetsPerSecond ?? 0));
  const dedicated = cpus.some(({ dedicatedBy }) => dedicatedBy.length > 0);
  return markup`<section aria-labelledby="cpus">
<h2 id="cpus">Packet work by CPU</h2>
<ul class="legend"><li><svg class="key" width="12" height="6" aria-hidden="true" focusable="false"><rect class="soft" width="12" height="6"/></svg> <b>softirq, interrupts, NAPI threads</b> <span class="faint">share of the window, full width is 100%</span></li><li><svg class="key" width="12" height="6" aria-hidden="true" focusable="false"><rect class="work" width="12" height="6"/></svg> <b>packets</b> <span class="faint">${most === 0 ? 'none in the window' : `full width is ${formats.rate(most)}`}</span></li>${
    dedicated
      ? markup`<li><span class="key ring"></span> <b>set apart</b> <span class="faint">isolcpus, nohz_full or cpuset: packet work here disturbs what it was kept for</span></li>`
      : nothing
  }</ul>
${nodes.map((node) => {
  const own = cpus.filter(({ numaNode }) => numaNode === node);
  const near = node === null ? [] : devices.filter(({ numaNode }) => numaNode === node);
  return markup`<div class="node"><h3>${node === null ? 'CPUs of no known node' : `NUMA node ${node}`}</h3> <span class="faint">${nodeWords(own)}</span>${
    near.length === 0
      ? nothing
      : markup` <span class="near">${near.slice(0, 8).map((each) => markup`${name(placed(each.device, each.netns))} `)}</span>`
  }
<ul${classOf(cpus.length > MANY ? 'cpus many' : 'cpus')}>
${own.map((cpu) => cell(cpu, most))}</ul></div>
`;
})}${folded('All CPUs in a table', [
    drawTable(cpuTable, cpus.slice(0, ROWS), { caption: 'Receive work of each CPU in the window', className: 'wide' }),
  ])}</section>
`;
}

function nodeWords(cpus: readonly CpuCost[]): string {
  const packets = cpus.reduce((sum, { packetsPerSecond }) => sum + (packetsPerSecond ?? 0), 0);
  const busy = cpus.reduce((sum, cpu) => sum + (interruptTime(cpu) ?? 0), 0);
  return `${cpus.length} CPU${cpus.length === 1 ? '' : 's'}, ${formats.packets(packets)}, softirq, interrupts and NAPI threads take ${significant(busy)} CPUs`;
}

function cell(cpu: CpuCost, most: number): Markup {
  const share = interruptTime(cpu);
  const busy = Math.min(1, share ?? 0);
  const packets = most === 0 ? 0 : (cpu.packetsPerSecond ?? 0) / most;
  const words = [
    `CPU ${cpu.cpu}`,
    ...cpu.dedicatedBy,
    share === null ? 'softirq not known' : `softirq, interrupts, NAPI threads ${formats.percent(share)}`,
    cpu.packetsPerSecond === null ? 'packets not known' : formats.packets(cpu.packetsPerSecond),
    ...(cpu.dropped === null || cpu.dropped === 0 ? [] : [`${formats.count(cpu.dropped)} dropped`]),
    ...(cpu.squeezed === null || cpu.squeezed === 0 ? [] : [`${formats.count(cpu.squeezed)} squeezed`]),
  ].join(', ');
  const width = (share: number): number => (share === 0 ? 0 : Math.max(2, Math.round(share * 100)));
  const kind = [
    ...(cpu.dedicatedBy.length > 0 ? ['ring'] : []),
    ...(busy === 0 && packets === 0 ? ['idle'] : []),
    ...(cpu.dropped !== null && cpu.dropped > 0 ? ['lossy'] : []),
  ].join(' ');
  return markup`<li${classOf(kind)} title="${words}"><span aria-hidden="true">${cpu.cpu}</span><span class="sr">${words}</span><svg width="100%" height="13" aria-hidden="true" focusable="false"><rect class="rail" width="100%" height="6"/><rect class="soft" width="${width(busy)}%" height="6"/><rect class="rail" y="7" width="100%" height="6"/><rect class="work" y="7" width="${width(packets)}%" height="6"/></svg></li>
`;
}
