import { mkdirSync, readFileSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * A recorded host: /proc and /sys of a server with two NUMA nodes, as files in the kernel's formats, at two moments.
 * CPUs 0-3 are node 0, CPUs 4-7 node 1. One NIC, eth0, with four MSI-X interrupts.
 */
export interface HostImage {
  /** What the NIC's numa_node says; -1 where the firmware said nothing. */
  readonly nicNode: number;
  /** The CPUs that take its interrupts and receive its packets. */
  readonly receivingCpus: readonly number[];
  /** vm.numa_stat; its counters stand still when it is off. */
  readonly numaStat?: boolean;
  /** Page allocations that wanted node 1 and went to node 0, and those node 1 could serve. */
  readonly foreign?: number;
  readonly hit?: number;
  /** Allocations made on a node for a CPU of the other. */
  readonly other?: number;
  /** A second port, eth1, of the same PCI function: it has the same interrupts. */
  readonly secondPort?: boolean;
  /** A PMD thread of ovs-vswitchd: the CPUs it may use, the one it is on. */
  readonly pmd?: { readonly allowed: string; readonly cpu: number };
}

const CPUS = [0, 1, 2, 3, 4, 5, 6, 7];
const IRQS = [64, 65, 66, 67];
const PACKETS = 400_000;
const SECONDS = 3;
const pci = 'sys/devices/pci0000:80/0000:80:01.0/0000:81:00.0';
const net = `${pci}/net/eth0`;
const second = `${pci}/net/eth1`;
const zeros = (count: number): string => Array<string>(count).fill('0').join(' ');

/** Writes both moments below a folder; `root` shows the first one. */
export function writeImage(folder: string, image: HostImage): { readonly root: string; readonly after: () => void } {
  for (const moment of [0, 1] as const) {
    const at = join(folder, `${moment}`);
    for (const [path, content] of Object.entries(filesOf(image, moment))) {
      mkdirSync(dirname(join(at, path)), { recursive: true });
      writeFileSync(join(at, path), content);
    }
    const links: readonly (readonly [string, string])[] = [
      ['sys/class/net/eth0', net],
      ...(image.secondPort === true ? [['sys/class/net/eth1', second] as const] : []),
      ['sys/bus/pci/devices/0000:81:00.0', pci],
      [`${net}/device`, pci],
    ];
    for (const [path, target] of links) {
      mkdirSync(dirname(join(at, path)), { recursive: true });
      symlinkSync(relative(dirname(path), target), join(at, path));
    }
  }
  const root = join(folder, 'root');
  symlinkSync('0', root);
  const after = (): void => {
    symlinkSync('1', `${root}.next`);
    renameSync(`${root}.next`, root);
  };
  return { root, after };
}

/** Waits until the first sample was taken: a file was read, and then nothing more for a while. */
export async function firstSampleTaken(folder: string): Promise<void> {
  const file = join(folder, '0', 'proc', 'stat');
  const { atimeMs } = statSync(file);
  const deadline = Date.now() + (keepsAccessTimes(folder) ? 15_000 : 2000);
  while (statSync(file).atimeMs === atimeMs && Date.now() < deadline) await pause(20);
  await pause(600);
}

/** Not every mount does; a fixed wait has to do then: start-up takes well below two seconds. */
function keepsAccessTimes(folder: string): boolean {
  const file = join(folder, 'read-once');
  writeFileSync(file, 'x');
  utimesSync(file, 1, 2);
  readFileSync(file);
  return statSync(file).atimeMs > 1000;
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function filesOf(image: HostImage, moment: 0 | 1): Record<string, string> {
  const { nicNode, receivingCpus, numaStat = true, foreign = 0, hit = 100_000, other = 0, pmd } = image;
  const receives = (cpu: number): boolean => receivingCpus.includes(cpu);
  const perCpu = PACKETS / receivingCpus.length;
  const header = `${' '.repeat(11)}${CPUS.map((cpu) => `CPU${cpu}`.padEnd(11)).join('')}\n`;
  const counted = (of: (cpu: number) => number): string => CPUS.map((cpu) => `${of(cpu)}`.padStart(11)).join('');
  const grown = (base: number, by: number): number => Math.round(base + moment * by);
  const numastat = (node: number): string => {
    const mine = numaStat ? 1 : 0;
    const served = node === 1 ? hit : 2 * hit;
    return [
      ['numa_hit', grown(402_345_678, mine * served)],
      ['numa_miss', grown(90_441, mine * (node === 0 ? foreign : 0))],
      ['numa_foreign', grown(120, mine * (node === 1 ? foreign : 0))],
      ['interleave_hit', 16_380],
      ['local_node', grown(400_000_000, mine * (served - other))],
      ['other_node', grown(2_436_119, mine * other)],
    ]
      .map(([name, value]) => `${name} ${value}\n`)
      .join('');
  };
  const meminfo = (node: number): string =>
    [
      `Node ${node} MemTotal:       65775284 kB`,
      `Node ${node} MemFree:        ${node === 1 && foreign > 0 ? '  102344' : '41532120'} kB`,
      `Node ${node} FilePages:       8123456 kB`,
      `Node ${node} HugePages_Total:     0`,
    ].join('\n') + '\n';
  const busyTicks = (cpu: number): number => (receives(cpu) ? 0.3 * SECONDS * 100 : 0);
  return {
    'proc/stat': `${[
      `cpu  ${zeros(10)}`,
      ...CPUS.map((cpu) => {
        const softirq = busyTicks(cpu);
        return `cpu${cpu} ${grown(1000, 15)} 0 ${grown(500, 9)} ${grown(9_000_000, 276 - softirq)} 0 0 ${grown(700, softirq)} 0 0 0`;
      }),
      'intr 1',
      `ctxt ${grown(5_000_000, 1000)}`,
      'btime 1760000000',
      `processes ${grown(4000, 3)}`,
      'procs_running 1',
      'procs_blocked 0',
      `softirq ${grown(90_000, 12_000)} 0 10 0 ${grown(80_000, 11_000)} 0 0 0 10 0 10`,
    ].join('\n')}\n`,
    'proc/softirqs': `${header}${[
      ['HI', 0],
      ['TIMER', 300],
      ['NET_TX', 0],
      ['NET_RX', -1],
      ['BLOCK', 0],
      ['IRQ_POLL', 0],
      ['TASKLET', 0],
      ['SCHED', 200],
      ['HRTIMER', 0],
      ['RCU', 150],
    ]
      .map(
        ([name, by]) =>
          `${`${name}`.padStart(11)}:${counted((cpu) => grown(5000, Number(by) < 0 ? (receives(cpu) ? 9000 : 2) : Number(by)))}\n`,
      )
      .join('')}`,
    'proc/interrupts': `${header}${IRQS.map((irq, queue) => {
      const on = receivingCpus[queue % receivingCpus.length];
      return `${`${irq}`.padStart(4)}:${counted((cpu) => (cpu === on ? grown(77_000, 8000) : 0))}  IR-PCI-MSIX-0000:81:00.0 ${queue + 1}-edge      eth0-TxRx-${queue}\n`;
    }).join('')} LOC:${counted((cpu) => grown(111_274 + cpu, 750))}   Local timer interrupts\n`,
    ...Object.fromEntries(
      IRQS.flatMap((irq, queue) => {
        const on = `${receivingCpus[queue % receivingCpus.length]}\n`;
        return [
          [`proc/irq/${irq}/smp_affinity_list`, on],
          [`proc/irq/${irq}/effective_affinity_list`, on],
          [`proc/irq/${irq}/node`, `${nicNode}\n`],
          [`${pci}/msi_irqs/${irq}`, 'msix\n'],
        ];
      }),
    ),
    'proc/net/softnet_stat': CPUS.map((cpu) => {
      const words = [grown(50_000, receives(cpu) ? perCpu : 10), ...Array<number>(11).fill(0), cpu, 0, 0];
      return `${words.map((word) => word.toString(16).padStart(8, '0')).join(' ')}\n`;
    }).join(''),
    'proc/net/dev': [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo: 1200 12 0 0 0 0 0 0 1200 12 0 0 0 0 0 0',
      `  eth0: ${grown(9_000_000, PACKETS * 800)} ${grown(60_000, PACKETS)} 0 0 0 0 0 0 ${grown(5_000_000, 1000)} ${grown(40_000, 100)} 0 0 0 0 0 0`,
      '',
    ].join('\n'),
    'proc/net/snmp': [
      'Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors',
      `Tcp: 1 200 120000 -1 10 20 0 0 3 ${grown(9000, 300)} ${grown(8000, 300)} 0 0 0 0`,
      'Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors',
      `Udp: ${grown(500, PACKETS)} 0 0 400 0 0 0 0 0`,
      '',
    ].join('\n'),
    'proc/net/netstat': [
      'TcpExt: SyncookiesSent PruneCalled RcvPruned OfoPruned ListenOverflows ListenDrops TCPBacklogDrop TCPReqQFullDoCookies TCPReqQFullDrop TCPMemoryPressures TCPRcvQDrop TCPFromZeroWindowAdv TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPAbortOnMemory TCPSynRetrans',
      `TcpExt: ${zeros(16)}`,
      '',
    ].join('\n'),
    'proc/net/snmp6': [
      'InDatagrams',
      'NoPorts',
      'InErrors',
      'OutDatagrams',
      'RcvbufErrors',
      'SndbufErrors',
      'MemErrors',
    ]
      .map((name) => `Udp6${name}\t0\n`)
      .join(''),
    'proc/net/sockstat':
      'sockets: used 120\nTCP: inuse 8 orphan 0 tw 0 alloc 12 mem 40\nUDP: inuse 3 mem 2\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n',
    'proc/net/packet': 'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n',
    'proc/net/ptype': 'Type Device      Function\n0800          ip_rcv\n0806          arp_rcv\n',
    'proc/meminfo':
      'MemTotal:       131550568 kB\nMemFree:        83064240 kB\nHugePages_Total:       0\nHugepagesize:       2048 kB\n',
    'proc/sys/kernel/ostype': 'Linux\n',
    'proc/sys/kernel/osrelease': '6.12.107+deb13-amd64\n',
    'proc/sys/kernel/version': '#1 SMP PREEMPT_DYNAMIC Debian 6.12.107-1\n',
    'proc/sys/kernel/hostname': 'recorded\n',
    'proc/sys/kernel/domainname': '(none)\n',
    'proc/sys/kernel/arch': 'x86_64\n',
    'proc/sys/net/core/somaxconn': '4096\n',
    'proc/sys/net/ipv4/tcp_mem': '768642\t1024858\t1537284\n',
    'proc/sys/vm/numa_stat': numaStat ? '1\n' : '0\n',
    ...processFiles(14, 14, {
      comm: 'ksoftirqd/0',
      flags: 69_238_848,
      threads: 1,
      ticks: grown(11, 1),
      cpu: 0,
      allowed: '0',
    }),
    ...(pmd === undefined
      ? {}
      : {
          ...processFiles(900, 900, {
            comm: 'ovs-vswitchd',
            flags: 4_194_560,
            threads: 2,
            ticks: grown(100, 1),
            cpu: 1,
            allowed: '0-7',
          }),
          ...processFiles(900, 901, {
            comm: `pmd-c0${pmd.cpu}/id:8`,
            flags: 4_194_560,
            threads: 2,
            ticks: grown(40_000, 0.98 * SECONDS * 100),
            cpu: pmd.cpu,
            allowed: pmd.allowed,
          }),
        }),
    'sys/devices/system/cpu/online': '0-7\n',
    'sys/devices/system/cpu/possible': '0-7\n',
    'sys/devices/system/cpu/present': '0-7\n',
    'sys/devices/system/cpu/isolated': '\n',
    'sys/devices/system/node/online': '0-1\n',
    ...Object.fromEntries(
      [0, 1].flatMap((node) => [
        [`sys/devices/system/node/node${node}/cpulist`, node === 0 ? '0-3\n' : '4-7\n'],
        [`sys/devices/system/node/node${node}/numastat`, numastat(node)],
        [`sys/devices/system/node/node${node}/meminfo`, meminfo(node)],
        [`sys/devices/system/node/node${node}/distance`, node === 0 ? '10 21\n' : '21 10\n'],
      ]),
    ),
    [`${pci}/numa_node`]: `${nicNode}\n`,
    [`${pci}/current_link_width`]: '8\n',
    [`${pci}/max_link_width`]: '8\n',
    [`${pci}/current_link_speed`]: '8.0 GT/s PCIe\n',
    [`${pci}/max_link_speed`]: '8.0 GT/s PCIe\n',
    [`${net}/flags`]: '0x1003\n',
    [`${net}/operstate`]: 'up\n',
    [`${net}/carrier`]: '1\n',
    [`${net}/mtu`]: '1500\n',
    [`${net}/speed`]: '25000\n',
    [`${net}/tx_queue_len`]: '1000\n',
    [`${net}/ifindex`]: '2\n',
    [`${net}/iflink`]: '2\n',
    [`${net}/threaded`]: '0\n',
    [`${net}/uevent`]: 'INTERFACE=eth0\nIFINDEX=2\n',
    [`${net}/statistics/rx_missed_errors`]: '0\n',
    [`${net}/statistics/rx_nohandler`]: '0\n',
    [`${net}/queues/rx-0/rps_cpus`]: '00\n',
    ...(image.secondPort === true ? { [`${second}/ifindex`]: '3\n' } : {}),
  };
}

interface Thread {
  readonly comm: string;
  readonly flags: number;
  readonly threads: number;
  readonly ticks: number;
  readonly cpu: number;
  readonly allowed: string;
}

function processFiles(pid: number, tid: number, thread: Thread): Record<string, string> {
  const { comm, flags, threads, ticks, cpu, allowed } = thread;
  const stat = `${tid} (${comm}) S 2 0 0 0 -1 ${flags} 0 0 0 0 ${ticks} 0 0 0 20 0 ${threads} 0 30 0 0 18446744073709551615 0 0 0 0 0 0 0 2147483647 0 1 0 0 17 ${cpu} 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
  const status = `Name:\t${comm}\nState:\tS (sleeping)\nTgid:\t${pid}\nPid:\t${tid}\nCpus_allowed_list:\t${allowed}\nMems_allowed_list:\t0-1\n`;
  const task = `proc/${pid}/task/${tid}`;
  return {
    ...(pid === tid ? { [`proc/${pid}/stat`]: stat, [`proc/${pid}/status`]: status } : {}),
    [`${task}/stat`]: stat,
    [`${task}/status`]: status,
  };
}
