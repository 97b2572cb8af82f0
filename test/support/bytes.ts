import { fixture } from './fixture.ts';

/** Bytes that are kept as hexadecimal text under test/fixtures. */
export function hexFixture(name: string): Uint8Array {
  const text = Buffer.from(fixture(`${name}.hex`)).toString('latin1');
  return new Uint8Array(Buffer.from(text.replace(/\s/g, ''), 'hex'));
}

/** Every proper beginning of the bytes, the empty one included. */
export function* cutAnywhere(bytes: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < bytes.length; length += 1) yield bytes.slice(0, length);
}

/** Reproducible garbage: the bytes with a few of them changed, or noise of the same length. */
export function* garbled(bytes: Uint8Array, rounds = 300): Generator<Uint8Array> {
  let state = 12345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < rounds; round += 1) {
    const copy = bytes.slice();
    const changes = round % 10 === 0 ? copy.length : 1 + random(6);
    for (let change = 0; change < changes; change += 1) copy[random(copy.length)] = random(256);
    yield copy;
  }
}
