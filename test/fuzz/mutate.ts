/** Numbers from a seed: the same inputs for everybody who gives it. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `below` - 1 (mulberry32). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % Math.max(1, below);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const numbers = ['4294967295', '4294967296', '18446744073709551615', '-1', '1e308', 'NaN', '0x', '9'.repeat(400)];
const odd = [
  '',
  '\0',
  '\n',
  '\n\n',
  ' '.repeat(5000),
  '\u001b[31m',
  '\u202e',
  '../../',
  '{',
  '}',
  ':',
  '"',
  '\\',
  ',',
  '0-32768,',
  '\ufeff',
];
const tokens = [...numbers, ...odd, '__proto__', 'constructor', '[[[[[[[['].map((token) => Buffer.from(token));

/** A few changes of any kind, anywhere. */
export function mutateBytes(chance: Chance, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let result = Buffer.from(bytes);
  for (let changes = 1 + chance.below(4); changes > 0; changes -= 1) {
    const at = chance.below(result.length + 1);
    const length = chance.below(Math.min(200, result.length - at + 1));
    const [front, middle, back] = [
      result.subarray(0, at),
      result.subarray(at, at + length),
      result.subarray(at + length),
    ];
    switch (chance.below(6)) {
      case 0:
        if (at < result.length) result[at]! ^= 1 << chance.below(8);
        break;
      case 1:
        result = Buffer.concat([front, back]);
        break;
      case 2:
        result = Buffer.concat([front, middle, middle, ...Array<Buffer>(chance.below(50)).fill(middle), back]);
        break;
      case 3:
        result = Buffer.concat([front, chance.of(tokens), chance.below(2) === 0 ? middle : Buffer.alloc(0), back]);
        break;
      case 4: {
        const other = Buffer.from(chance.of(others));
        const from = chance.below(other.length);
        result = Buffer.concat([front, other.subarray(from, from + chance.below(2000)), back]);
        break;
      }
      default:
        result = Buffer.from(front);
    }
  }
  return result.subarray(0, 1024 * 1024);
}

const values: readonly (() => unknown)[] = [
  () => null,
  () => -1,
  () => 1e308,
  () => 0.5,
  () => '',
  () => '\u001b[31m\n',
  () => 'x'.repeat(10_000),
  () => true,
  () => [],
  () => ({}),
  () => [[[]]],
  () => JSON.parse('{"__proto__":1,"length":1e9}') as unknown,
];

/** One value somewhere in JSON is another one, gone, or there many times. */
export function mutateJson(chance: Chance, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || chance.below(8) === 0) return chance.of(values)();
  if (isList(value)) {
    if (value.length === 0) return chance.of(values)();
    const at = chance.below(value.length);
    if (chance.below(10) === 0) return value.toSpliced(at, 1);
    if (chance.below(10) === 0) return [...value, ...Array<unknown>(chance.below(300)).fill(value[at])];
    return value.with(at, mutateJson(chance, value[at]));
  }
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  if (entries.length === 0) return chance.of(values)();
  const at = chance.below(entries.length);
  const [key, inner] = entries[at]!;
  if (chance.below(12) === 0) return Object.fromEntries(entries.toSpliced(at, 1));
  return Object.fromEntries(entries.with(at, [key, mutateJson(chance, inner)]));
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
