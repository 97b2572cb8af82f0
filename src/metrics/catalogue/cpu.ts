import { counter, gauge } from '../metric.ts';

const stat = { collector: 'cpu', source: '/proc/stat' } as const;

export const cpuSeconds = counter('node_cpu_seconds_total', {
  ...stat,
  unit: 'seconds',
  labels: ['cpu', 'mode'],
  stepsBack: true,
  help: 'Time each CPU spent in each mode. guest time is already inside user and is not a mode here.',
});
export const cpuGuestSeconds = counter('node_cpu_guest_seconds_total', {
  ...stat,
  unit: 'seconds',
  labels: ['cpu', 'mode'],
  stepsBack: true,
  help: 'Time each CPU spent running guests; already contained in user and nice.',
});
export const cpuIsolated = gauge('node_cpu_isolated', {
  collector: 'cpu',
  source: '/sys/devices/system/cpu/isolated',
  unit: 'none',
  labels: ['cpu'],
  sparse: true,
  help: '1 for each CPU that isolcpus= took out of the scheduler domains at boot.',
});
export const softirqsTotal = counter('node_softirqs_total', {
  ...stat,
  unit: 'calls',
  labels: ['vector'],
  // fs/proc/stat.c:show_stat adds the CPUs up in an unsigned int per vector.
  width: 'u32',
  help: 'Softirq handler invocations since boot, all CPUs, by vector.',
});
export const interruptsTotal = counter('node_intr_total', {
  ...stat,
  unit: 'events',
  labels: [],
  help: 'Interrupts serviced since boot.',
});
export const contextSwitches = counter('node_context_switches_total', {
  ...stat,
  unit: 'events',
  labels: [],
  help: 'Context switches since boot, all CPUs.',
});
export const bootTime = gauge('node_boot_time_seconds', {
  ...stat,
  unit: 'seconds',
  labels: [],
  help: 'Unix time at which the host booted.',
});

export const softirqFunctions = counter('node_softirqs_functions_total', {
  collector: 'softirqs',
  exporterFlag: '--collector.softirqs',
  source: '/proc/softirqs',
  unit: 'calls',
  labels: ['cpu', 'type'],
  width: 'u32',
  help: 'Softirq handler invocations per CPU. NET_RX counts runs of net_rx_action, each up to 300 packets, not packets.',
});

const softnet = { collector: 'softnet', source: '/proc/net/softnet_stat', labels: ['cpu'], width: 'u32' } as const;
export const softnetProcessed = counter('node_softnet_processed_total', {
  ...softnet,
  unit: 'packets',
  help: 'Passes through __netif_receive_skb_core: skbs after GRO, counted again at each VLAN, bond or bridge hop.',
});
export const softnetDropped = counter('node_softnet_dropped_total', {
  ...softnet,
  unit: 'packets',
  help: 'Packets dropped because the per-CPU backlog was full (RPS, veth, loopback, tun); never NIC ring losses.',
});
export const softnetSqueezed = counter('node_softnet_times_squeezed_total', {
  ...softnet,
  unit: 'events',
  help: 'Times net_rx_action stopped with work left because its packet or time budget ran out; not a drop.',
});
export const softnetCollision = counter('node_softnet_cpu_collision_total', {
  ...softnet,
  unit: 'events',
  help: 'Always 0 on current kernels; kept because node_exporter exports it.',
});
export const softnetReceivedRps = counter('node_softnet_received_rps_total', {
  ...softnet,
  unit: 'events',
  help: 'Inter-processor interrupts received for RPS, not packets.',
});
export const softnetFlowLimit = counter('node_softnet_flow_limit_count_total', {
  ...softnet,
  unit: 'packets',
  help: 'Packets dropped by the flow limit of the per-CPU backlog; contained in dropped.',
});
export const softnetBacklog = gauge('node_softnet_backlog_len', {
  collector: 'softnet',
  source: '/proc/net/softnet_stat',
  labels: ['cpu'],
  unit: 'packets',
  help: 'Packets waiting in the per-CPU backlog at the moment of reading.',
});

export const interrupts = counter('node_interrupts_total', {
  collector: 'interrupts',
  source: '/proc/interrupts',
  unit: 'events',
  labels: ['cpu', 'type', 'info', 'devices'],
  width: 'u32',
  sparse: true,
  help: 'Interrupts per CPU and line; type is the IRQ number. Cells that are zero are left out.',
});
export const deviceInterrupts = counter('pktcost_device_interrupts_total', {
  collector: 'interrupts',
  source: '/proc/interrupts',
  unit: 'events',
  labels: ['device', 'cpu', 'type'],
  width: 'u32',
  sparse: true,
  help:
    'Interrupts of a network device per CPU and line; type is the IRQ number. A line that two devices share counts for ' +
    'each. Cells that are zero are left out.',
});
export const deviceIrq = gauge('pktcost_device_irq_info', {
  collector: 'interrupts',
  source: '/sys/class/net/*/device/msi_irqs',
  unit: 'none',
  labels: ['device', 'type', 'affinity', 'effective_affinity'],
  sparse: true,
  help: '1 for each interrupt of a network device; type is the IRQ number, the affinities are CPU lists.',
});

export const pressureAverage = gauge('pktcost_pressure_average_ratio', {
  collector: 'pressure',
  source: '/proc/pressure/*',
  unit: 'ratio',
  labels: ['resource', 'kind'],
  help: 'Share of the last minute, as the kernel averages it, in which some or all tasks (kind some, full) waited for the resource.',
});
const pressure = { collector: 'pressure', unit: 'seconds', labels: [] } as const;
export const pressureCpuWaiting = counter('node_pressure_cpu_waiting_seconds_total', {
  ...pressure,
  source: '/proc/pressure/cpu',
  help: 'Time in which some task waited for a CPU.',
});
export const pressureIoWaiting = counter('node_pressure_io_waiting_seconds_total', {
  ...pressure,
  source: '/proc/pressure/io',
  help: 'Time in which some task waited for I/O.',
});
export const pressureIoStalled = counter('node_pressure_io_stalled_seconds_total', {
  ...pressure,
  source: '/proc/pressure/io',
  help: 'Time in which all tasks waited for I/O.',
});
export const pressureMemoryWaiting = counter('node_pressure_memory_waiting_seconds_total', {
  ...pressure,
  source: '/proc/pressure/memory',
  help: 'Time in which some task waited for memory.',
});
export const pressureMemoryStalled = counter('node_pressure_memory_stalled_seconds_total', {
  ...pressure,
  source: '/proc/pressure/memory',
  help: 'Time in which all tasks waited for memory.',
});
export const pressureIrqStalled = counter('node_pressure_irq_stalled_seconds_total', {
  ...pressure,
  source: '/proc/pressure/irq',
  help: 'Time in which all tasks of a CPU were stalled by interrupts; only with IRQ_TIME_ACCOUNTING, since 6.1.',
});
