/** Driver name and offload features of a device, by ioctl, in this thread's network namespace. */
import { refusal } from '../base/errno.ts';
import { libc } from '../ffi/libc.ts';
import { ok, type Result } from '../base/result.ts';

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOCETHTOOL = 0x8946;
const GDRVINFO = 0x03;
const GSTRINGS = 0x1b;
const GSSET_INFO = 0x37;
const GFEATURES = 0x3a;
const SFEATURES = 0x3b;
const SS_FEATURES = 4;
const MAX_FEATURES = 512;

export type Features = Readonly<Record<string, boolean>>;

function ethtool(name: string, command: Buffer): Result<void> {
  const library = libc();
  if (!library.ok) return library;
  const { socket, ioctl, close, errno, addressOf } = library.value;
  const fd = socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return refusal(errno(), 'socket');
  try {
    const request = Buffer.alloc(40);
    request.write(name, 0, 15, 'utf8');
    request.writeBigUInt64LE(addressOf(command), 16);
    return ioctl(fd, SIOCETHTOOL, request) < 0 ? refusal(errno(), 'ethtool') : ok(undefined);
  } finally {
    close(fd);
  }
}

/** A buffer whose address stays good while the kernel writes to it. */
function command(bytes: number, code: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes).fill(0);
  buffer.writeUInt32LE(code, 0);
  return buffer;
}

export function driverOf(name: string): Result<string> {
  const drvinfo = command(196, GDRVINFO);
  const asked = ethtool(name, drvinfo);
  return asked.ok ? ok(drvinfo.toString('utf8', 4, 36).replace(/\0.*$/s, '')) : asked;
}

function featureNames(name: string): Result<string[]> {
  const count = command(24, GSSET_INFO);
  count.writeBigUInt64LE(BigInt(1 << SS_FEATURES), 8);
  const asked = ethtool(name, count);
  if (!asked.ok) return asked;
  const number = Math.min(count.readUInt32LE(16), MAX_FEATURES);
  const strings = command(12 + number * 32, GSTRINGS);
  strings.writeUInt32LE(SS_FEATURES, 4);
  strings.writeUInt32LE(number, 8);
  const got = ethtool(name, strings);
  if (!got.ok) return got;
  return ok(
    Array.from({ length: number }, (_, index) =>
      strings.toString('utf8', 12 + index * 32, 44 + index * 32).replace(/\0.*$/s, ''),
    ),
  );
}

export function featuresOf(name: string): Result<Features> {
  const names = featureNames(name);
  if (!names.ok) return names;
  const blocks = Math.ceil(names.value.length / 32);
  const features = command(8 + blocks * 16, GFEATURES);
  features.writeUInt32LE(blocks, 4);
  const asked = ethtool(name, features);
  if (!asked.ok) return asked;
  const active: Record<string, boolean> = {};
  names.value.forEach((feature, bit) => {
    if (feature !== '') active[feature] = ((features.readUInt32LE(8 + (bit >> 5) * 16 + 8) >>> (bit & 31)) & 1) === 1;
  });
  return ok(active);
}

export function changedFeatures(before: Features, after: Features): Features {
  return Object.fromEntries(
    Object.entries(before).filter(([name, on]) => after[name] !== undefined && after[name] !== on),
  );
}

/** Asks for the given features and nothing else. A driver may refuse some: read them again to know. */
export function setFeatures(name: string, wanted: Features): Result<void> {
  const names = featureNames(name);
  if (!names.ok) return names;
  const blocks = Math.ceil(names.value.length / 32);
  const request = command(8 + blocks * 8, SFEATURES);
  request.writeUInt32LE(blocks, 4);
  names.value.forEach((feature, bit) => {
    const on = wanted[feature];
    if (on === undefined) return;
    const at = 8 + (bit >> 5) * 8;
    request.writeUInt32LE((request.readUInt32LE(at) | (1 << (bit & 31))) >>> 0, at);
    if (on) request.writeUInt32LE((request.readUInt32LE(at + 4) | (1 << (bit & 31))) >>> 0, at + 4);
  });
  return ethtool(name, request);
}
