import { counter, gauge } from '../metric.ts';

const listener = { collector: 'sockets', source: 'inet_diag', perNetns: true } as const;
const listenerLabels = ['family', 'address', 'port', 'inode'] as const;

export const acceptQueue = gauge('pktcost_listener_accept_queue', {
  ...listener,
  labels: listenerLabels,
  // Without one of these a page names no socket, and what one of them counted would be taken for another's.
  identifiedBy: listenerLabels,
  unit: 'connections',
  help: 'Connections waiting to be accepted; the queue is full when it exceeds its limit.',
});
export const acceptQueueLimit = gauge('pktcost_listener_accept_queue_limit', {
  ...listener,
  labels: listenerLabels,
  identifiedBy: listenerLabels,
  unit: 'connections',
  help: 'min(backlog given to listen(), net.core.somaxconn).',
});
export const listenerDrops = counter('pktcost_listener_drops_total', {
  ...listener,
  labels: listenerLabels,
  identifiedBy: listenerLabels,
  width: 'u32',
  unit: 'connections',
  help: 'Connection attempts this listener dropped for any reason (sk_drops).',
});
export const udpSocketDrops = counter('pktcost_udp_socket_drops_total', {
  ...listener,
  labels: listenerLabels,
  identifiedBy: listenerLabels,
  width: 'u32',
  unit: 'datagrams',
  sparse: true,
  help: 'Datagrams this socket dropped (sk_drops). Sockets that never dropped are left out.',
});
export const udpSocketReceiveBuffer = gauge('pktcost_udp_socket_receive_buffer_bytes', {
  ...listener,
  labels: listenerLabels,
  identifiedBy: listenerLabels,
  unit: 'bytes',
  sparse: true,
  help: 'Receive buffer (SO_RCVBUF as the kernel keeps it, twice the request) of UDP sockets that dropped.',
});
export const udpSocketReceiveQueue = gauge('pktcost_udp_socket_receive_queue_bytes', {
  ...listener,
  labels: listenerLabels,
  identifiedBy: listenerLabels,
  unit: 'bytes',
  sparse: true,
  help: 'Memory of the datagrams that wait at UDP sockets which are not connected: the fullest of a namespace.',
});
export const tcpSocketReceiveQueue = gauge('pktcost_tcp_socket_receive_queue_bytes', {
  ...listener,
  labels: [...listenerLabels, 'peer'],
  identifiedBy: listenerLabels,
  unit: 'bytes',
  sparse: true,
  help: 'Unread bytes of the established connections that hold the most: the readers that are behind.',
});
export const tcpSocketSendQueue = gauge('pktcost_tcp_socket_send_queue_bytes', {
  ...listener,
  labels: [...listenerLabels, 'peer'],
  identifiedBy: listenerLabels,
  unit: 'bytes',
  sparse: true,
  help: 'Bytes that the peer has not acknowledged or was not sent, of the connections that hold the most; looked for where some connection has unread data.',
});
export const tcpSocketDrops = counter('pktcost_tcp_socket_drops_total', {
  ...listener,
  labels: [...listenerLabels, 'peer'],
  identifiedBy: listenerLabels,
  width: 'u32',
  unit: 'segments',
  sparse: true,
  help: 'Segments that a connection dropped (sk_drops): full backlogs and buffers, and what was old, doubled or out of place. Those that dropped most.',
});
export const tcpPortsTaken = gauge('pktcost_tcp_ports_taken', {
  ...listener,
  labels: ['family', 'address', 'peer'],
  unit: 'number',
  sparse: true,
  help: 'Local ports that connections from one address to one peer take, those in TIME_WAIT with them: the peers that take most.',
});
export const udpQueues = gauge('node_udp_queues', {
  collector: 'sockets',
  source: 'inet_diag',
  labels: ['queue', 'ip'],
  unit: 'bytes',
  perNetns: true,
  help: 'Bytes in the transmit and receive queues of all UDP sockets together.',
});
export const socketOwner = gauge('pktcost_socket_owner_info', {
  collector: 'owners',
  source: 'socket_owners',
  labels: ['inode', 'pid', 'comm'],
  unit: 'none',
  sparse: true,
  help: '1 for each process that holds a socket which matters here: packet sockets, listeners with drops or a queue, UDP sockets that dropped, slow readers; several after a fork.',
});
export const socketOwnerCpu = gauge('pktcost_socket_owner_cpu_info', {
  collector: 'owners',
  source: '/proc/*/stat',
  labels: ['inode', 'pid', 'cpu'],
  unit: 'none',
  sparse: true,
  help: '1 for the CPU that the holder of such a socket last ran on; only for processes of one thread.',
});

const packet = { collector: 'packet', perNetns: true, sparse: true } as const;
export const packetSocket = gauge('pktcost_packet_socket_info', {
  ...packet,
  source: '/proc/net/packet',
  labels: ['inode', 'device', 'ifindex', 'protocol', 'type', 'hook', 'filter', 'ring', 'fanout', 'uid', 'promiscuous'],
  // What is unknown is written as that: a socket without one of these is not one that takes little.
  identifiedBy: ['inode', 'device', 'protocol', 'type', 'hook', 'filter', 'ring', 'fanout'],
  unit: 'none',
  help:
    '1 for each AF_PACKET socket. protocol is hexadecimal (0003 = ETH_P_ALL); hook is the receive function its running ' +
    'hook calls, or none; device is any when not bound. What only PACKET_DIAG tells is unknown without it.',
});
export const packetSocketDrops = counter('pktcost_packet_socket_drops_total', {
  ...packet,
  source: 'packet_diag',
  labels: ['inode'],
  width: 'u32',
  unit: 'packets',
  help: 'Drops of a packet socket read by recv() (sk_drops). Always 0 for ring sockets, whose own count is not exported.',
});
export const packetRingDrops = counter('pktcost_packet_socket_ring_drops_total', {
  collector: 'ebpf',
  source: 'probe',
  labels: ['inode'],
  perNetns: true,
  sparse: true,
  unit: 'packets',
  help: 'Packets that the ring of a packet socket had no room for since the probe was attached.',
});
export const packetRingsSeen = gauge('pktcost_packet_socket_rings_seen', {
  collector: 'ebpf',
  source: 'probe',
  labels: [],
  unit: 'none',
  help: '1 where the probe looks at what the rings of packet sockets have no room for: a ring without a count had no packet.',
});
export const packetSocketRing = gauge('pktcost_packet_socket_ring_bytes', {
  collector: 'packet',
  source: 'packet_diag',
  labels: ['inode'],
  perNetns: true,
  sparse: true,
  unit: 'bytes',
  help: 'Memory of its receive ring, which is there whether packets come or not.',
});
export const packetSocketMemory = gauge('pktcost_packet_socket_receive_memory_bytes', {
  ...packet,
  source: '/proc/net/packet',
  labels: ['inode'],
  unit: 'bytes',
  help: 'Receive memory charged to the socket; about 0 for rings, whose memory is mapped.',
});
export const packetHooks = gauge('pktcost_packet_hooks', {
  ...packet,
  source: '/proc/net/ptype',
  labels: ['protocol', 'device', 'function'],
  unit: 'number',
  help: 'Packet hooks as the kernel lists them: protocol ALL is a tap. A fanout group is one hook however many sockets it has.',
});

const process = { collector: 'processes', source: '/proc/*/stat' } as const;
const processLabels = ['pid', 'comm', 'role'] as const;
export const processCpu = counter('pktcost_process_cpu_seconds_total', {
  ...process,
  labels: processLabels,
  unit: 'seconds',
  help: 'User and system time of threads in the packet path: role is napi, ksoftirqd, vhost, ovs or backlog.',
});
export const processLastCpu = gauge('pktcost_process_last_cpu', {
  ...process,
  labels: processLabels,
  unit: 'number',
  help: 'CPU the thread last ran on.',
});
export const processAllowed = gauge('pktcost_process_allowed_info', {
  collector: 'processes',
  source: '/proc/*/status',
  labels: [...processLabels, 'cpus', 'mems'],
  unit: 'none',
  sparse: true,
  help: '1 per thread in the packet path: the CPUs and memory nodes it may use, as lists.',
});
