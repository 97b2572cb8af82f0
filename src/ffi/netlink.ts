import { endianness } from 'node:os';

import { fail, ok, type Result } from '../base/result.ts';
import { refusal } from '../base/errno.ts';
import { libc, type Libc } from './libc.ts';

/** Netlink numbers are in the host's byte order. */
export const LITTLE = endianness() === 'LE';

export const NETLINK_ROUTE = 0;
export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;
/** The request of every socket dump, include/uapi/linux/sock_diag.h. */
export const SOCK_DIAG_BY_FAMILY = 20;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_TRUNC = 0x20;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const NLM_F_DUMP_INTR = 0x10;
const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_OVERRUN = 4;
const HEADER = 16;
const NLA_TYPE_MASK = 0x3fff;

const EINTR = 4;
const EAGAIN = 11;

/** The kernel fills at most 32 KiB at a time for a reader that offers as much (netlink_dump). */
const BUFFER = 64 * 1024;
/** A dump of rtnetlink waits for the RTNL mutex, which somebody may hold. */
const TIMEOUT_SECONDS = 2;
const ATTEMPTS = 3;
const MOST_BYTES = 64 * 1024 * 1024;

/** What one datagram of a dump held. */
export interface Datagram {
  readonly payloads: readonly Uint8Array[];
  readonly done: boolean;
  /** The list changed while it was dumped: entries may be missing or doubled. */
  readonly interrupted: boolean;
}

/**
 * Parses a datagram of netlink messages that answer request `sequence`; messages of other requests are passed over. An
 * error of the kernel is a failure in its errno's words. Source: net/netlink/af_netlink.c:netlink_dump, netlink_ack.
 */
export function parseDatagram(bytes: Uint8Array, sequence: number): Result<Datagram> {
  const view = viewOf(bytes);
  const payloads: Uint8Array[] = [];
  let interrupted = false;
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEADER) return fail('netlink message without a header', at);
    const length = view.getUint32(at, LITTLE);
    if (length < HEADER || length > bytes.length - at) return fail(`netlink message of ${length} bytes`, at);
    const type = view.getUint16(at + 4, LITTLE);
    if (view.getUint16(at + 6, LITTLE) & NLM_F_DUMP_INTR) interrupted = true;
    if (view.getUint32(at + 8, LITTLE) === sequence && type !== NLMSG_NOOP) {
      if (type === NLMSG_OVERRUN) return fail('the kernel lost netlink messages', at);
      if (type === NLMSG_ERROR || type === NLMSG_DONE) {
        // Both carry a negative errno; NLMSG_DONE did not before it could fail.
        const errno = length >= HEADER + 4 ? view.getInt32(at + HEADER, LITTLE) : 0;
        return errno < 0 ? refusal(errno) : ok({ payloads, done: true, interrupted });
      }
      payloads.push(bytes.subarray(at + HEADER, at + length));
    }
    at += align(length);
  }
  return ok({ payloads, done: false, interrupted });
}

/**
 * Parses the attributes at the end of a message: type -> payload. Type 0 is an attribute like any other here, since
 * PACKET_DIAG_INFO has it. Source: lib/nlattr.c.
 */
export function parseAttributes(bytes: Uint8Array, from: number): Result<ReadonlyMap<number, Uint8Array>> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array>();
  let at = from;
  while (at < bytes.length) {
    if (bytes.length - at < 4) return fail('netlink attribute without a header', at);
    const length = view.getUint16(at, LITTLE);
    if (length < 4 || length > bytes.length - at) return fail(`netlink attribute of ${length} bytes`, at);
    attributes.set(view.getUint16(at + 2, LITTLE) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return ok(attributes);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An attribute that is one number of 32 bits; undefined when it is not there or shorter. */
export function u32(bytes: Uint8Array | undefined): number | undefined {
  return u32List(bytes, 1)?.[0];
}

/** Text, ended by a NUL or by its length; empty where an attribute is not there. */
export function textOf(bytes: Uint8Array = new Uint8Array()): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

/** An attribute that is a list of u32; undefined when it is shorter than `count` of them. */
export function u32List(bytes: Uint8Array | undefined, count: number): readonly number[] | undefined {
  if (bytes === undefined || bytes.length < count * 4) return undefined;
  const view = viewOf(bytes);
  return Array.from({ length: count }, (_, index) => view.getUint32(index * 4, LITTLE));
}

function align(length: number): number {
  return (length + 3) & ~3;
}

let buffer: Buffer | undefined;
let sequences = 0;

/** What dumps are asked over: a netlink socket, or what stands for one. */
export interface Channel {
  /** Asks for a dump; the number that its messages bear. */
  readonly ask: (type: number, body: Uint8Array) => Result<number>;
  readonly receive: () => Result<Uint8Array>;
}

/**
 * Asks the kernel for a dump in the namespace this thread is in, and waits for it: the rows that `row` makes of its messages, but for
 * those of which it makes undefined. It must not keep the bytes, nor count anything: a list that changed is asked for again, and what
 * is counted of it is netlinkFold's. 0.5-1.5 ms each.
 */
export function netlinkDump<T>(
  protocol: number,
  type: number,
  body: Uint8Array,
  row: (payload: Uint8Array) => Result<T | undefined>,
): Result<readonly T[]> {
  const begin = (): T[] => [];
  return netlinkFold(protocol, type, body, begin, (rows, payload) => {
    const made = row(payload);
    if (!made.ok) return made;
    if (made.value !== undefined) rows.push(made.value);
    return ok(undefined);
  });
}

/** The same, put together by `take`, which must not keep the bytes, in what `begin` makes: anew each time that the dump is asked for. */
export function netlinkFold<T>(
  protocol: number,
  type: number,
  body: Uint8Array,
  begin: () => T,
  take: (into: T, payload: Uint8Array) => Result<undefined>,
): Result<T> {
  const library = libc();
  if (!library.ok) return library;
  const fd = library.value.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  if (fd < 0) return callRefused(library.value, 'socket');
  try {
    const opened = open(library.value, fd);
    if (!opened.ok) return opened;
    return foldOver(channelOf(library.value, fd), type, body, begin, take);
  } finally {
    library.value.close(fd);
  }
}

/** A list that changed meanwhile is asked for again. */
export function foldOver<T>(
  channel: Channel,
  type: number,
  body: Uint8Array,
  begin: () => T,
  take: (into: T, payload: Uint8Array) => Result<undefined>,
): Result<T> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const into = begin();
    const ended = dumpOnce(channel, type, body, (payload) => take(into, payload));
    if (!ended.ok) return ended;
    if (ended.value === 'whole') return ok(into);
  }
  return fail(`the list changed during each of ${ATTEMPTS} dumps`);
}

/**
 * Connected to the kernel: answers of nobody else are taken. The kernel answers at once; a lost answer must not hang us.
 *
 * It sizes the messages of a dump by the longest read that it has seen on the socket, and makes the first before any: a row
 * longer than a page then ends the dump, as if there were no more (netlink_dump, sk_diag_fill). So something is read first.
 */
function open(library: Libc, fd: number): Result<undefined> {
  const timeout = new BigInt64Array([BigInt(TIMEOUT_SECONDS), 0n]);
  const timeval = new Uint8Array(timeout.buffer);
  if (library.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval, timeval.length) < 0)
    return callRefused(library, 'setsockopt');
  const kernel = new Uint8Array(12);
  viewOf(kernel).setUint16(0, AF_NETLINK, LITTLE);
  if (library.connect(fd, kernel, kernel.length) < 0) return callRefused(library, 'connect');
  sequences += 1;
  const nothing = request(NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, sequences, new Uint8Array());
  if (library.send(fd, nothing, nothing.length, 0) < 0) return callRefused(library, 'send');
  const acknowledged = receive(library, fd);
  return acknowledged.ok ? ok(undefined) : acknowledged;
}

function channelOf(library: Libc, fd: number): Channel {
  return {
    ask: (type, body) => {
      sequences += 1;
      const message = request(type, NLM_F_REQUEST | NLM_F_DUMP, sequences, body);
      return library.send(fd, message, message.length, 0) < 0 ? callRefused(library, 'send') : ok(sequences);
    },
    receive: () => receive(library, fd),
  };
}

function dumpOnce(
  channel: Channel,
  type: number,
  body: Uint8Array,
  take: (payload: Uint8Array) => Result<undefined>,
): Result<'whole' | 'interrupted'> {
  const asked = channel.ask(type, body);
  if (!asked.ok) return asked;
  let interrupted = false;
  for (let received = 0; received < MOST_BYTES;) {
    const bytes = channel.receive();
    if (!bytes.ok) return bytes;
    received += bytes.value.length;
    const datagram = parseDatagram(bytes.value, asked.value);
    if (!datagram.ok) return datagram;
    for (const payload of datagram.value.payloads) {
      const taken = take(payload);
      if (!taken.ok) return taken;
    }
    interrupted ||= datagram.value.interrupted;
    if (datagram.value.done) return ok(interrupted ? 'interrupted' : 'whole');
  }
  return fail(`netlink answer longer than ${MOST_BYTES / 1024 / 1024} MiB`);
}

function request(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER + body.length);
  const view = viewOf(message);
  view.setUint32(0, message.length, LITTLE);
  view.setUint16(4, type, LITTLE);
  view.setUint16(6, flags, LITTLE);
  view.setUint32(8, sequence, LITTLE);
  message.set(body, HEADER);
  return message;
}

function receive(library: Libc, fd: number): Result<Uint8Array> {
  buffer ??= Buffer.allocUnsafeSlow(BUFFER);
  for (;;) {
    // With MSG_TRUNC the answer is the datagram's own length, whether it fitted or not.
    const length = library.recv(fd, buffer, BUFFER, MSG_TRUNC);
    if (length > BUFFER) return fail(`netlink datagram of ${length} bytes does not fit`);
    if (length > 0) return ok(buffer.subarray(0, length));
    if (length === 0) return fail('the kernel closed the netlink socket');
    const errno = library.errno();
    if (errno === EAGAIN) return fail(`no answer from the kernel within ${TIMEOUT_SECONDS} s`);
    if (errno !== EINTR) return refusal(errno, 'recv');
  }
}

function callRefused(library: Libc, call: string): Result<never> {
  const errno = library.errno();
  return refusal(errno, call);
}
