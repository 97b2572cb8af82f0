import { meminfo, netstat, sockstat, sysctl, tcpMem, unameInfo } from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { acrossNetns, either, increase, peak, scale, subtract, value } from '../metrics/expression.ts';
import { againstLimit } from './proof.ts';
import { reduceOrphans, relieveTcpMemory } from './remedies/tcp-memory.ts';
import { critical, deciding, defineRule, notMeasured, ok, optional, optionalList, warning } from './rule.ts';

/** SK_MEM_QUANTUM, the unit of TCP memory up to 5.19 whatever the page size (include/net/sock.h). */
const QUANTUM = 4096;

/**
 * Orphans are killed from tcp_max_orphans on, those whose peer is long silent or that met ICMP errors from a quarter of
 * it on (net/ipv4/tcp_timer.c:tcp_out_of_resources, net/ipv4/tcp.c:tcp_check_oom).
 */
const FIRST_KILLED = 1 / 4;

/** Fewer are within the limit of any host: it is half of the established hash, 4,096 and more (net/ipv4/tcp.c:tcp_init). */
const MANY_ORPHANS = 1000;

/**
 * TCP memory and tcp_mem are the host's: every namespace repeats the one, only the initial one has the other. The counters
 * are kept by namespace, and are added up. TCPMemoryPressures rises on entering pressure only, so pressure that lasts
 * through the window leaves it still: the level decides (net/ipv4/tcp.c:tcp_enter_memory_pressure).
 */
export const tcpMemoryPressure = defineRule({
  code: 'PKT0404',
  id: 'tcp-memory-pressure',
  role: 'outcome',
  title: 'TCP is short of memory: windows shrink and connections are killed',
  scope: [],
  signals: {
    max: optional(value(tcpMem, { limit: 'max', netns: '' })),
    pressure: optional(value(tcpMem, { limit: 'pressure', netns: '' })),
    memory: peak(sockstat.member('TCP_mem'), { netns: '' }),
    bytes: optional(peak(sockstat.member('TCP_mem_bytes'), { netns: '' })),
    orphans: deciding(peak(sockstat.member('TCP_orphan'), { netns: '' })),
    maxOrphans: optional(value(sysctl, { name: 'net.ipv4.tcp_max_orphans', netns: '' })),
    entered: deciding(acrossNetns(increase(netstat.member('TcpExt_TCPMemoryPressures')))),
    aborted: deciding(acrossNetns(increase(netstat.member('TcpExt_TCPAbortOnMemory')))),
    total: optional(value(meminfo.member('MemTotal_bytes'))),
    kernel: optionalList(value(unameInfo)),
  },
  thresholds: {
    pressure: {
      value: 1,
      unit: 'ratio',
      help: 'TCP memory relative to tcp_mem[pressure] from which TCP is under pressure.',
      source: 'net/core/sock.c:__sk_mem_raise_allocated enters memory pressure above sysctl_mem[1]',
    },
    max: {
      value: 1,
      unit: 'ratio',
      help: 'TCP memory relative to tcp_mem[max] from which allocations fail.',
      source: 'net/core/sock.c:__sk_mem_raise_allocated suppresses allocation above sysctl_mem[2]',
    },
    aborted: {
      value: 10,
      unit: 'connections',
      help: 'Connections killed for want of memory or for too many orphans from which it is critical; fewer are a warning.',
      source: 'judgement: each is a connection reset in the middle of its work',
    },
  },
  messages: {
    exhausted:
      'TCP holds {memory:count} pages, {usage:percent} of the hard limit of {max:count} (tcp_mem): receive and send buffers of ' +
      'all connections are refused.',
    aborted:
      '{aborted:count} connections were killed for want of TCP memory or for too many orphans (there are {orphans:count}); TCP ' +
      'holds {memory:count} pages of at most {max:count}.',
    orphans:
      '{aborted:count} connections were killed, and there are {orphans:count} orphans of at most {maxOrphans:count} ' +
      '(tcp_max_orphans): connections that their programs closed, with data that their peers do not take. TCP holds ' +
      '{memory:count} pages of at most {max:count}.',
    passing:
      '{aborted:count} connections were killed: within the window TCP memory was used up, or orphans were too many. At its ' +
      'ends TCP holds {memory:count} pages of at most {max:count}, and there are {orphans:count} orphans of at most ' +
      '{maxOrphans:count}.',
    pressure:
      'TCP holds {memory:count} pages, above the pressure limit of {pressure:count} (tcp_mem; hard limit {max:count}): the windows ' +
      'of all connections are kept small.',
    'orphans-now':
      'There are {orphans:count} orphans of at most {maxOrphans:count} (tcp_max_orphans): connections that their programs closed, ' +
      'with data that their peers do not take. Above that number the kernel kills them.',
    entered:
      'TCP went into memory pressure {entered:count} times in the window and is out of it at both ends: {memory:count} pages, ' +
      'pressure from {pressure:count}.',
  },
  alert: {
    differs: {
      pages: 'memory in units of 4096 bytes, as kernels before 6.0 with larger pages count it, is taken for pages',
    },
    raise: ({ memory, max, pressure, entered, aborted }, limits) => {
      const exhausted = where(subtract(memory, scale(max, limits.max)), '>=', 0);
      const high = where(subtract(memory, scale(pressure, limits.pressure)), '>', 0);
      return {
        critical: {
          when: either(where(aborted, '>=', limits.aborted), exhausted),
          says: 'Connections were killed for want of memory or for too many orphans in {range}, or TCP memory is at its limit.',
        },
        warning: {
          when: either(either(where(aborted, '>', 0), where(entered, '>', 0)), either(high, exhausted)),
          says: 'TCP is under memory pressure, or killed connections for want of memory or for too many orphans in {range}.',
        },
      };
    },
  },
  conclude({ max, pressure, memory, bytes, orphans, maxOrphans, entered, aborted, total, kernel }, limits, at) {
    const pageSize = bytes === undefined || memory.value === 0 ? QUANTUM : bytes.value / memory.value;
    const pages = inPages(memory.value, pageSize, kernel[0]?.labels['release']);
    const said = {
      args: {
        memory: pages ?? memory.value,
        pressure: pressure?.value ?? 0,
        max: max?.value ?? 0,
        usage: max === undefined || max.value === 0 ? 0 : (pages ?? memory.value) / max.value,
        aborted: aborted?.value ?? 0,
        entered: entered?.value ?? 0,
        orphans: orphans?.value ?? 0,
        maxOrphans: maxOrphans?.value ?? 0,
      },
      certainty: 'measured',
    } as const;
    const remedies = relieveTcpMemory({
      pressure: pressure?.value,
      max: max?.value,
      pageSize,
      totalBytes: total?.value,
    });
    const evidence = {
      ...({ memory: null, pressure: null, max: null, entered: null } as const),
      ...({ aborted: null, orphans: null, maxOrphans: null } as const),
    };
    if (max !== undefined && pages !== undefined && pages >= max.value * limits.max) {
      return critical({
        ...said,
        message: 'exhausted',
        evidence: { ...evidence, memory: ['>=', max.value * limits.max] },
        remedies,
      });
    }
    if ((aborted?.value ?? 0) > 0) {
      const killed = aborted!.value;
      const known = orphans !== undefined && maxOrphans !== undefined;
      const many = known && orphans.value >= maxOrphans.value * FIRST_KILLED;
      const fired = {
        ...said,
        message: many ? 'orphans' : known ? 'passing' : 'aborted',
        evidence: {
          ...evidence,
          aborted: againstLimit(killed, limits.aborted),
          ...(many ? { orphans: ['>=', maxOrphans.value * FIRST_KILLED] as const } : {}),
        },
        remedies: [...reduceOrphans(), ...remedies],
        impact: { lostPerSecond: killed / at.seconds },
      } as const;
      return killed >= limits.aborted ? critical(fired) : warning(fired);
    }
    if (pressure !== undefined && pages !== undefined && pages > pressure.value * limits.pressure) {
      return warning({
        ...said,
        message: 'pressure',
        evidence: { ...evidence, memory: ['>', pressure.value * limits.pressure] },
        remedies,
      });
    }
    const orphansFull =
      orphans !== undefined && maxOrphans !== undefined && maxOrphans.value > 0 && orphans.value >= maxOrphans.value;
    // One sample has the level of now, and pressure of any time since the boot.
    if ((entered?.value ?? 0) > 0 && !(at.oneSample && orphansFull)) {
      return warning({ ...said, message: 'entered', evidence: { ...evidence, entered: ['>', 0] }, remedies });
    }
    if (orphansFull) {
      return warning({
        ...said,
        certainty: 'possible',
        message: 'orphans-now',
        evidence: { ...evidence, orphans: ['>=', maxOrphans.value] },
        remedies: reduceOrphans(),
      });
    }
    if (max === undefined || pressure === undefined) {
      return notMeasured(
        'net.ipv4.tcp_mem is not among what was read: the kernel shows it in the initial network namespace only',
      );
    }
    if (pages === undefined) {
      return notMeasured(
        `the unit of TCP memory with pages of ${pageSize} bytes depends on the kernel release, which is unknown`,
      );
    }
    if (maxOrphans === undefined && (orphans?.value ?? 0) >= MANY_ORPHANS) {
      return notMeasured(
        `whether ${orphans!.value.toLocaleString('en-US')} orphans are too many: net.ipv4.tcp_max_orphans is not among what was read`,
      );
    }
    return ok();
  },
});

/** What tcp_mem is compared with; undefined when the unit is not known. */
function inPages(memory: number, pageSize: number, release: string | undefined): number | undefined {
  if (pageSize <= QUANTUM) return memory;
  const major = /^\d+/.exec(release ?? '')?.[0];
  if (major === undefined) return undefined;
  return Number(major) < 6 ? (memory * QUANTUM) / pageSize : memory;
}
