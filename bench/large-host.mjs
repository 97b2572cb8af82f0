// Writes a /proc and /sys of a very large host: 512 CPUs, 2,000 devices, 5,000 processes with 100 descriptors each.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const size = { cpus: 512, devices: 2000, processes: 5000, descriptors: 100, irqs: 1500 };

export function writeLargeHost(root, { cpus, devices, processes, descriptors, irqs } = size) {
  const put = (path, content) => {
    const file = join(root, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
  };
  const cpuNumbers = Array.from({ length: cpus }, (_, cpu) => cpu);
  const header = `${' '.repeat(11)}${cpuNumbers.map((cpu) => `CPU${cpu}`.padEnd(11)).join('')}\n`;
  put(
    'proc/stat',
    `cpu 1 2 3 4 5 6 7 8 9 10\n${cpuNumbers.map((cpu) => `cpu${cpu} 100 0 200 90000 10 0 ${cpu} 0 0 0\n`).join('')}intr 1${' 0'.repeat(5000)}\nctxt 1\nbtime 1700000000\nprocesses 1\nsoftirq 10 1 1 1 1 1 1 1 1 1 1\n`,
  );
  put(
    'proc/softirqs',
    `${header}${['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'].map((name) => `${name.padStart(9)}: ${cpuNumbers.map((cpu) => String(cpu * 1000).padStart(10)).join(' ')}\n`).join('')}`,
  );
  const words = (first) => [first, ...Array(11).fill(0), 0, 0].map((word) => word.toString(16).padStart(8, '0'));
  put(
    'proc/net/softnet_stat',
    cpuNumbers
      .map((cpu) => {
        const row = words(cpu * 7919);
        row[12] = cpu.toString(16).padStart(8, '0');
        return `${[...row, '00000000'].slice(0, 15).join(' ')}\n`;
      })
      .join(''),
  );
  put(
    'proc/interrupts',
    `${header}${Array.from({ length: irqs }, (_, irq) => `${String(irq + 24).padStart(4)}: ${cpuNumbers.map((cpu) => String(cpu === irq % cpus ? 123456 : 0).padStart(10)).join(' ')}  IR-PCI-MSI ${irq}-edge      eth${irq % 8}-TxRx-${irq}\n`).join('')}`,
  );
  put(
    'proc/meminfo',
    'MemTotal: 1000000 kB\nMemAvailable: 900000 kB\nHugePages_Total: 0\nHugePages_Free: 0\nHugepagesize: 2048 kB\n',
  );
  put(
    'proc/net/dev',
    `Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n${Array.from({ length: devices }, (_, index) => `veth${index}: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0\n`).join('')}`,
  );
  for (const [name, content] of Object.entries({
    netstat: 'TcpExt: ListenOverflows ListenDrops\nTcpExt: 0 0\n',
    snmp: 'Udp: InDatagrams NoPorts\nUdp: 1 0\n',
    snmp6: 'Udp6InDatagrams 1\n',
    sockstat: 'sockets: used 10\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 1\n',
    packet: 'sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n',
    ptype: 'Type Device      Function\n',
    tcp: '  sl\n',
    udp: '  sl\n',
  }))
    put(`proc/net/${name}`, content);
  for (const name of ['cpu', 'io', 'memory'])
    put(
      `proc/pressure/${name}`,
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    );
  for (const [index, name] of ['ostype', 'osrelease', 'version', 'hostname', 'domainname'].entries())
    put(`proc/sys/kernel/${name}`, `${['Linux', '6.12.0', '#1 SMP', 'large', '(none)'][index]}\n`);
  for (let index = 0; index < devices; index += 1) {
    const device = `sys/devices/virtual/net/veth${index}`;
    const files = {
      operstate: 'up',
      carrier: 1,
      mtu: 1500,
      flags: '0x1003',
      tx_queue_len: 1000,
      carrier_changes: 1,
      carrier_up_count: 1,
      carrier_down_count: 0,
      ifindex: index + 2,
      iflink: index + 3,
      type: 1,
      threaded: 0,
      uevent: `INTERFACE=veth${index}\nIFINDEX=${index + 2}`,
      'statistics/rx_missed_errors': 0,
      'statistics/rx_nohandler': 0,
      'queues/rx-0/rps_cpus': '0',
    };
    for (const [name, content] of Object.entries(files)) put(`${device}/${name}`, `${content}\n`);
    mkdirSync(join(root, 'sys/class/net'), { recursive: true });
    symlinkSync(`../../devices/virtual/net/veth${index}`, join(root, `sys/class/net/veth${index}`));
  }
  for (let node = 0; node < 2; node += 1) {
    put(`sys/devices/system/node/node${node}/cpulist`, `${node * (cpus / 2)}-${(node + 1) * (cpus / 2) - 1}\n`);
    put(
      `sys/devices/system/node/node${node}/numastat`,
      'numa_hit 1\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 1\nother_node 0\n',
    );
    put(`sys/devices/system/node/node${node}/meminfo`, `Node ${node} MemTotal: 1000 kB\n`);
  }
  put('sys/devices/system/cpu/isolated', '\n');
  for (let pid = 1; pid <= processes; pid += 1) {
    put(
      `proc/${pid}/stat`,
      `${pid} (worker${pid}) S 1 1 1 0 -1 0 0 0 0 0 5 5 0 0 20 0 1 0 100 1000 10 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n`,
    );
    put(`proc/${pid}/comm`, `worker${pid}\n`);
    mkdirSync(join(root, `proc/${pid}/fd`));
    for (let fd = 0; fd < descriptors; fd += 1)
      symlinkSync(`socket:[${pid * 1000 + fd}]`, join(root, `proc/${pid}/fd/${fd}`));
  }
}
