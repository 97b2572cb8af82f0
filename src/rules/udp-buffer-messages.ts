/** What PKT0405 says. */
export const messages = {
  burst:
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}), most by {socket} of {process}. A larger buffer bridges bursts; it does not help where the reader ' +
    'is slower than the traffic for long.',
  'burst-unknown':
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}). Which socket is unknown: none that was open for the whole window dropped any.',
  'burst-closed':
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}). Which socket is unknown: those that are open dropped a small part of them.',
  'burst-untold':
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}). Which socket is unknown: what each of them dropped was not told.',
  'burst-unlisted':
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}). Which socket is unknown: they could not be listed.',
  'memory-level':
    '{memory:count} UDP datagrams ({share:percent}) were dropped and neither a full buffer nor a wrong checksum is why; the ' +
    'memory of all UDP sockets is at its limit ({pages:count} of {most:count} pages, udp_mem): they were refused for want of it.',
  flood:
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}), most by {socket} of {process}. With such a share the reader is too slow for the traffic: a larger buffer ' +
    'would only delay the loss.',
  'flood-bursts':
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}), most by {socket} of {process}. Its reader has time to spare and waits for the socket in between: far more ' +
    'comes at once than the buffer holds.',
  'flood-unknown':
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}), most by {socket} of {process}. With such a share the reader is mostly too slow for the traffic, and a ' +
    'larger buffer would only delay the loss; how it spends its time could not be told.',
  memory:
    '{memory:count} UDP datagrams ({share:percent}) were dropped because udp_mem or the memory limit of a cgroup was reached: ' +
    'not the buffer of one socket.',
  'memory-group':
    '{memory:count} UDP datagrams ({share:percent}) were dropped for want of memory while {unit} was refused some {times:count} times: ' +
    'the memory that the group of {holder} may have was used up, not the buffer of one socket.',
  'memory-group-full':
    '{memory:count} UDP datagrams ({share:percent}) were dropped for want of memory, and the sockets of {unit}, the group of ' +
    '{holder}, had all the memory that they may have: not the buffer of one socket.',
  'burst-mixed':
    '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
    '({rate:rate}). Whose cannot be told: {sockets:count} sockets dropped more than that, and filters turned some of it away.',
  'unsent-device':
    '{unsent:count} UDP datagrams ({share:percent}) could not be sent, and {device} dropped {behind:count} packets that it was ' +
    'given: it or its peer does not take them (down, full, or a smaller MTU at the other end).',
  'unsent-queue':
    '{unsent:count} UDP datagrams ({share:percent}) could not be sent, and {behind:count} packets were dropped behind their ' +
    'sockets ({reason}{device}).',
  refused:
    '{unsent:count} UDP datagrams ({share:percent}) could not be sent at once: their programs were told (EAGAIN or ENOBUFS) and ' +
    'still have them. That devices or their queues dropped as many was not seen{unseen}.',
  unexplained: '{rest:count} UDP datagrams ({share:percent}) were not delivered ({rate:rate}); {ruledOut}. {left}.',
  'memory-full':
    'All UDP sockets together hold {pages:count} pages, and may hold {most:count} (udp_mem): at the limit every datagram is ' +
    'refused, whatever room its socket has.',
  sockets:
    'Sockets dropped {lost:count} UDP datagrams: {which}. Whether their buffers were full or their filters turned them away, and ' +
    'of how many that is, was not counted.',
} as const;
