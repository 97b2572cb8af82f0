/** Four bytes in network order as `192.0.2.1`. */
export function formatIpv4(bytes: Uint8Array): string {
  return bytes.subarray(0, 4).join('.');
}

/** Sixteen bytes in network order as RFC 5952 writes them: `2001:db8::1`, `::ffff:192.0.2.1`. */
export function formatIpv6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!);
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff) {
    return `::ffff:${formatIpv4(bytes.subarray(12, 16))}`;
  }
  const { from, length } = longestZeros(words);
  const hex = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  if (length < 2) return hex(words);
  return `${hex(words.slice(0, from))}::${hex(words.slice(from + length))}`;
}

/** An address with its port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint(family: 'v4' | 'v6', address: string, port: number): string {
  return family === 'v4' ? `${address}:${port}` : `[${address}]:${port}`;
}

/** The first of the longest runs of zero words. */
function longestZeros(words: readonly number[]): { from: number; length: number } {
  let best = { from: 0, length: 0 };
  for (let from = 0; from < words.length; from += 1) {
    let length = 0;
    while (words[from + length] === 0) length += 1;
    if (length > best.length) best = { from, length };
  }
  return best;
}
