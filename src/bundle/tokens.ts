import { createHmac, randomBytes } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

import { formatIpv4, formatIpv6 } from '../collectors/address.ts';

const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/g;
const IPV6 = /(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?![\w:]|\.\d)/gi;
const MAC = /(?<![0-9a-f:])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![0-9a-f:])/gi;

/**
 * Stand-ins for what identifies a host or its users. The same original has the same token within one bundle, so that
 * evidence still joins, and another one in the next: the key is made for each and kept nowhere. Addresses become addresses
 * of ranges that nobody has (240.0.0.0/4, 2001:db8::/32, locally administered MACs), so that whatever parses them still can.
 */
export class Tokens {
  readonly #key: Buffer;
  readonly #byOriginal = new Map<string, string>();
  readonly #issued = new Set<string>();

  constructor(key: Buffer = randomBytes(32)) {
    this.#key = key;
  }

  host(name: string): string {
    return name === '' || name === '(none)' || name === 'localhost' ? name : this.#named('host', name);
  }

  process(comm: string): string {
    return comm === '' ? comm : this.#named('proc', comm);
  }

  namespace(name: string): string {
    return name === '' ? name : this.#named('netns', name);
  }

  /** A table or chain of netfilter. */
  filter(name: string): string {
    return this.#named('nf', name);
  }

  /** A control group. */
  group(name: string): string {
    return this.#named('cgroup', name);
  }

  /** An open file. */
  file(path: string): string {
    return this.#named('file', path);
  }

  /** For whatever else a command line may hold. */
  argument(text: string): string {
    return this.#named('arg', text);
  }

  /** Every address in a text. */
  addresses(text: string): string {
    return text
      .replace(MAC, (mac) => this.#mac(mac))
      .replace(IPV6, (address) => (isIPv6(address) ? this.ipv6Text(address) : address))
      .replace(IPV4, (address) => (isIPv4(address) ? this.ipv4Text(address) : address));
  }

  ipv4Text(address: string): string {
    return formatIpv4(this.ipv4(Uint8Array.from(address.split('.'), Number)));
  }

  ipv6Text(address: string): string {
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
    if (mapped !== undefined) return `::ffff:${this.ipv4Text(mapped)}`;
    return formatIpv6(this.ipv6(ipv6Bytes(address)));
  }

  /** Bytes in network order. "Any", loopback and broadcast say nothing of anybody, and rules look at them. */
  ipv4(bytes: Uint8Array): Uint8Array {
    const text = formatIpv4(bytes);
    if (text === '0.0.0.0' || text === '255.255.255.255' || bytes[0] === 127) return bytes;
    const token = this.#token(`v4 ${text}`, text, (hash) =>
      formatIpv4(Uint8Array.of(0xf0 | (hash[0]! & 0x0f), hash[1]!, hash[2]!, hash[3]! & 0xfe)),
    );
    return Uint8Array.from(token.split('.'), Number);
  }

  ipv6(bytes: Uint8Array): Uint8Array {
    const text = formatIpv6(bytes);
    if (text === '::' || text === '::1') return bytes;
    if (text.startsWith('::ffff:') && text.includes('.')) {
      return Uint8Array.of(...bytes.subarray(0, 12), ...this.ipv4(bytes.subarray(12)));
    }
    const token = this.#token(`v6 ${text}`, text, (hash) =>
      formatIpv6(Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, ...hash.subarray(0, 12))),
    );
    return ipv6Bytes(token);
  }

  /** Twelve or more hexadecimal digits without anything between. */
  macDigits(digits: string): string {
    const token = this.#mac(digits.slice(0, 12).replace(/../g, '$&:').slice(0, 17)).replaceAll(':', '');
    return `${token}${'0'.repeat(Math.max(0, digits.length - 12))}`;
  }

  #mac(mac: string): string {
    const plain = mac.toLowerCase().replaceAll('-', ':');
    if (plain === '00:00:00:00:00:00' || plain === 'ff:ff:ff:ff:ff:ff') return mac;
    return this.#token(`mac ${plain}`, plain, (hash) =>
      ['02', ...[...hash.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':'),
    );
  }

  #named(kind: string, original: string): string {
    return this.#token(`${kind} ${original}`, original, (hash) => `${kind}-${hash.toString('hex', 0, 4)}`);
  }

  /** A token is never made into another one, and no two originals have the same. */
  #token(key: string, original: string, make: (hash: Buffer) => string): string {
    if (this.#issued.has(original)) return original;
    const known = this.#byOriginal.get(key);
    if (known !== undefined) return known;
    for (let round = 0; ; round += 1) {
      const token = make(createHmac('sha256', this.#key).update(`${round} ${key}`).digest());
      if (this.#issued.has(token)) continue;
      this.#issued.add(token);
      this.#byOriginal.set(key, token);
      return token;
    }
  }
}

function ipv6Bytes(address: string): Uint8Array {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain =
    dotted === null
      ? address
      : `${dotted[1]!}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [left = '', right] = plain.split('::');
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const [front, back] = [words(left), right === undefined ? [] : words(right)];
  const zeros: number[] = right === undefined ? [] : new Array<number>(8 - front.length - back.length).fill(0);
  return Uint8Array.from([...front, ...zeros, ...back].flatMap((word) => [word >> 8, word & 0xff]));
}
