import type { Tokens } from './tokens.ts';

/** Redacts a file's text, in which each character is one byte. `comm` gives the stand-in of a process's name. */
export type FileRedactor = (text: string, tokens: Tokens, comm: (name: string) => string) => string;

/** Addresses as 32-bit words in the byte order of the host; taken for little-endian, as the collector does. */
const inetSockets: FileRedactor = (text, tokens) =>
  text.replace(/\b([0-9A-F]{8}|[0-9A-F]{32})(?=:[0-9A-F]{4}\b)/gi, (printed) => {
    const bytes = swapWords(Buffer.from(printed, 'hex'));
    const token = bytes.length === 4 ? tokens.ipv4(bytes) : tokens.ipv6(bytes);
    return swapWords(Buffer.from(token)).toString('hex').toUpperCase();
  });

function swapWords(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((_, index) => bytes[(index & ~3) + 3 - (index & 3)]!));
}

/** Groups stand on indented lines: `\t\t\t\t010000E0     1 0:00000000`. */
const igmp: FileRedactor = (text, tokens) =>
  text.replace(/^(\s+)([0-9A-F]{8})(?=\s)/gim, (_, indent: string, group: string) => {
    const token = tokens.ipv4(swapWords(Buffer.from(group, 'hex')));
    return `${indent}${swapWords(Buffer.from(token)).toString('hex').toUpperCase()}`;
  });

/** `2    eth0            1     0     01005e000001`: a group's MAC has a part of its address in it. */
const devMcast: FileRedactor = (text, tokens) =>
  text.replace(/[0-9a-f]{12,64}$/gim, (digits) => tokens.macDigits(digits));

function threadStat(text: string, comm: (name: string) => string): string {
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')];
  if (open < 0 || close < open) return '';
  return `${text.slice(0, open + 1)}${comm(text.slice(open + 1, close))}${text.slice(close)}`;
}

/** Of the status of a process only its name and where it may run are kept: groups, umask and the like are nobody's need. */
function threadStatus(text: string, comm: (name: string) => string): string {
  return text
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('Name:\t')) return [`Name:\t${comm(line.slice(6))}`];
      return /^(?:Cpus|Mems)_allowed/.test(line) ? [line] : [];
    })
    .join('\n')
    .concat('\n');
}

const KEPT_TYPES = [16, 17];
const END_OF_TABLE = 127;

/**
 * SMBIOS structures keep their type, length and handle. Strings (serial numbers, asset tags) become x; so do the insides
 * of structures other than memory arrays and devices (the system's UUID, MACs in vendors' own ones).
 */
function dmi(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at + 4 <= bytes.length;) {
    const [type, length] = [bytes[at]!, bytes[at + 1]!];
    if (length < 4) return bytes.fill(0x78, at).toString('latin1');
    if (!KEPT_TYPES.includes(type)) bytes.fill(0, at + 4, Math.min(at + length, bytes.length));
    at += length;
    for (; at < bytes.length && !(bytes[at] === 0 && bytes[at + 1] === 0); at += 1)
      if (bytes[at] !== 0) bytes[at] = 0x78;
    at += 2;
    if (type === END_OF_TABLE) return bytes.fill(0, Math.min(at, bytes.length)).toString('latin1');
  }
  return bytes.toString('latin1');
}

/** Files that hold names or addresses in a form of their own; the others only in words, if at all. */
const redactors: readonly (readonly [path: RegExp, redact: FileRedactor])[] = [
  [/^\/proc\/sys\/kernel\/(?:host|domain)name$/, (text, tokens) => `${tokens.host(text.trim())}\n`],
  // Versions of four numbers look like addresses.
  [/^\/proc\/sys\/kernel\//, (text) => text],
  [/^\/proc\/net\/(?:tcp|udp)6?$/, inetSockets],
  [/^\/proc\/net\/igmp$/, igmp],
  [/^\/proc\/net\/dev_mcast$/, devMcast],
  [/^\/proc\/\d+\/(?:task\/\d+\/)?stat$/, (text, _, comm) => threadStat(text, comm)],
  [/^\/proc\/\d+\/(?:task\/\d+\/)?status$/, (text, _, comm) => threadStatus(text, comm)],
  [/^\/sys\/firmware\/dmi\//, (text) => dmi(text)],
  [/./, (text, tokens) => tokens.addresses(text)],
];

export function fileRedactor(path: string): FileRedactor | undefined {
  return redactors.find(([pattern]) => pattern.test(path))?.[1];
}
