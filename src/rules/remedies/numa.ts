import { formatCpuList } from '../../base/cpu-list.ts';
import { cpuMask } from '../../facts/cpus.ts';
import type { Advice } from '../finding.ts';
import { keepingBefore } from './setting.ts';
import { shellQuote } from './shell.ts';

/** Interrupts moved in one command. */
const IRQ_LIMIT = 128;

interface Move {
  readonly device: string;
  readonly cpus: readonly number[];
  readonly node: string;
}

/** The very IRQs that fired on other nodes, given to the CPUs of the NIC's node. */
export function moveIrqs({ device, cpus, node, irqs }: Move & { readonly irqs: readonly string[] }): Advice[] {
  const list = formatCpuList(cpus);
  const numbers = irqs.filter((irq) => /^\d+$/.test(irq)).slice(0, IRQ_LIMIT);
  if (numbers.length === 0) return [];
  const each = numbers.join(' ');
  return [
    {
      action:
        `Let the CPUs of node ${node} take the interrupts of ${device} that fire elsewhere. The kernel picks one CPU of the list for ` +
        'each; to spread queues evenly give each IRQ a CPU of its own. A write refused with EIO is an IRQ the driver manages itself.',
      ...keepingBefore(
        'irqs',
        `for irq in ${each}; do echo "echo $(cat /proc/irq/$irq/smp_affinity_list) > /proc/irq/$irq/smp_affinity_list"; done`,
        `for irq in ${each}; do echo ${list} > /proc/irq/$irq/smp_affinity_list; done`,
      ),
      verify: `for irq in ${each}; do cat /proc/irq/$irq/effective_affinity_list; done`,
    },
    {
      action: 'irqbalance moves them back within seconds: keep it from these IRQs, or stop it, before you move them.',
      command: `systemctl is-active irqbalance && grep -H . /etc/default/irqbalance /etc/sysconfig/irqbalance 2>/dev/null; echo 'IRQBALANCE_ARGS="${numbers.map((irq) => `--banirq=${irq}`).join(' ')}"'`,
      verify: 'systemctl status irqbalance',
    },
  ];
}

/** For packet work that has nowhere to go on the node of its NIC. */
export function crowded(device: string, home: readonly number[], node: string): Advice[] {
  const list = formatCpuList(home);
  return [
    {
      action: `The CPUs of node ${node} (${list}) have no room for the packets of ${device}: moved there they would wait instead of cross over. See what runs there, and make room first.`,
      command: `ps -eLo psr,pcpu,pid,tid,comm --sort=-pcpu | head -n 30`,
      verify: `mpstat -P ${list} 1 5`,
    },
  ];
}

export function moveRps({ device, cpus, node, queues }: Move & { readonly queues: readonly string[] }): Advice[] {
  const at = `/sys/class/net/${shellQuote(device)}/queues`;
  const numbers = queues.map((queue) => queue.replace(/^rx-/, '')).filter((queue) => /^\d+$/.test(queue));
  return [
    {
      action: `Keep RPS of ${device} on the CPUs of node ${node}.`,
      ...keepingBefore(
        'rps',
        `for q in ${numbers.join(' ')}; do echo "echo $(cat ${at}/rx-$q/rps_cpus) > ${at}/rx-$q/rps_cpus"; done`,
        `for q in ${numbers.join(' ')}; do echo ${cpuMask(cpus)} > ${at}/rx-$q/rps_cpus; done`,
      ),
      verify: `grep -H . ${at}/rx-*/rps_cpus`,
    },
  ];
}

/** Threads by id, on the CPUs given. */
export function moveThreads(pids: readonly string[], cpus: readonly number[], what: string): Advice[] {
  const numbers = pids.filter((pid) => /^\d+$/.test(pid)).slice(0, IRQ_LIMIT);
  if (numbers.length === 0) return [];
  const each = numbers.join(' ');
  return [
    {
      action: what,
      ...keepingBefore(
        'threads',
        `for t in ${each}; do echo "taskset -pc $(sed -n 's/^Cpus_allowed_list:\\t//p' /proc/$t/status) $t"; done`,
        `for t in ${each}; do taskset -pc ${formatCpuList(cpus)} $t; done`,
      ),
      verify: `for t in ${each}; do grep -H Cpus_allowed_list /proc/$t/status; done; ps -o tid,comm,psr -p ${numbers.join(',')}`,
    },
  ];
}

/** The threads that poll the ports of a userspace datapath are placed by OVS itself; the mask names the CPUs of all. */
export function movePmd(cpus: readonly number[], node: string): Advice[] {
  return [
    {
      action: `Have OVS run its PMD threads on CPUs of node ${node}; the mask replaces the one before, so those that may stay are in it. Each CPU of it is polled without rest: take isolated ones if you keep some. Changing it restarts the threads.`,
      ...keepingBefore(
        'ovs',
        'echo "ovs-vsctl set Open_vSwitch . other_config:pmd-cpu-mask=$(ovs-vsctl --if-exists get Open_vSwitch . other_config:pmd-cpu-mask)"',
        `ovs-vsctl set Open_vSwitch . other_config:pmd-cpu-mask=0x${cpuMask(cpus).replaceAll(',', '')}`,
      ),
      verify: 'ovs-appctl dpif-netdev/pmd-rxq-show',
    },
  ];
}
