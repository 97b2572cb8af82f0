import { formatCpuList } from '../../base/cpu-list.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { wholeOutput } from './output.ts';
import type { Files } from './settings.ts';

/** A level of the tree that lstopo prints, and the nodes whose memory is at it. */
interface Level {
  readonly indent: number;
  readonly nodes: Set<number>;
}

/** As many as a kernel can have: CONFIG_NODES_SHIFT is 10 at most. */
const MOST_NODES = 1024;

/**
 * Parses lstopo's text for the CPUs of each NUMA node and the node of each network device. In hwloc 1 a node contains its
 * CPUs and bridges; in 2 it stands beside them, below the package or group that they share.
 */
export function parseLstopoCommand(bytes: Uint8Array): Result<Files> {
  const whole = wholeOutput(bytes);
  if (!whole.ok) return whole;
  const levels: Level[] = [];
  const cpus = new Map<number, number[]>();
  const devices = new Map<string, number>();
  const here = (): number | undefined => {
    const nearest = levels.findLast(({ nodes }) => nodes.size > 0)?.nodes;
    return nearest?.size === 1 ? [...nearest][0] : undefined;
  };
  for (const line of whole.value.split('\n')) {
    const indent = line.search(/\S/);
    if (indent < 0) continue;
    while ((levels.at(-1)?.indent ?? -1) >= indent) levels.pop();
    levels.push({ indent, nodes: new Set() });
    // Several objects with one child each stand on one line.
    const node = /\bNUMANode L#\d{1,4} \(P#(\d{1,4})\b/.exec(line)?.[1];
    if (node !== undefined && Number(node) < MOST_NODES) {
      levels.at(-1)?.nodes.add(Number(node));
      levels.at(-2)?.nodes.add(Number(node));
      if (!cpus.has(Number(node))) cpus.set(Number(node), []);
    }
    const at = here();
    const cpu = /\bPU L#\d{1,5} \(P#(\d{1,5})\)/.exec(line)?.[1];
    if (cpu !== undefined && at !== undefined) cpus.get(at)?.push(Number(cpu));
    const device = /\bNet (?:L#\d{1,4} )?"([^"/\s]{1,15})"/.exec(line)?.[1];
    if (device !== undefined && at !== undefined && device !== '.' && device !== '..') devices.set(device, at);
  }
  if (cpus.size === 0) return fail('no NUMA node in it');
  return ok(nodeFiles(cpus, devices));
}

/** Parses `numactl --hardware` for the CPUs of each node: `node 0 cpus: 0 1 2 3`. */
export function parseNumactlCommand(bytes: Uint8Array): Result<Files> {
  const whole = wholeOutput(bytes);
  if (!whole.ok) return whole;
  const said = /^available: (\d{1,4}) nodes? /m.exec(whole.value)?.[1];
  const cpus = new Map<number, number[]>();
  for (const [, node = '', list = ''] of whole.value.matchAll(/^node (\d{1,4}) cpus:((?: \d{1,5})*) *$/gm)) {
    if (Number(node) < MOST_NODES)
      cpus.set(
        Number(node),
        list
          .split(' ')
          .filter((each) => each !== '')
          .map(Number),
      );
  }
  if (said !== undefined && cpus.size < Number(said)) return fail(`CPUs of ${cpus.size} nodes of ${said}: cut off`);
  return cpus.size === 0 ? fail('no line of a node and its CPUs') : ok(nodeFiles(cpus, new Map()));
}

function nodeFiles(cpus: ReadonlyMap<number, readonly number[]>, devices: ReadonlyMap<string, number>): Files {
  const files: Files = new Map();
  for (const [node, list] of cpus)
    files.set(`/sys/devices/system/node/node${node}/cpulist`, `${formatCpuList([...list].sort((a, b) => a - b))}\n`);
  for (const [device, node] of devices) files.set(`/sys/class/net/${device}/device/numa_node`, `${node}\n`);
  return files;
}
