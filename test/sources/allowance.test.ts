import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Allowance } from '../../src/sources/allowance.ts';

const udp = '/proc/net/udp';

/** An allowance of which each look at the clock of the CPU is so many milliseconds later. */
function with500ms(now = (): number => 0): Allowance {
  let cpu = 0;
  return new Allowance(() => (cpu += 500), now);
}

/** How many pages of 4 KiB of a file are read. */
function pagesOf(allowance: Allowance, path: string, most = 100): number {
  const meter = allowance.meter(path);
  for (let page = 0; page < most; page += 1) if (meter?.(page * 4096).ok === false) return page;
  return most;
}

describe('the allowance of CPU time for files of /proc/net', () => {
  it('ends a long file when it is spent, says why, and is that of all namespaces together', () => {
    const allowance = with500ms();
    const pages = pagesOf(allowance, udp);
    assert.ok(pages > 4 && pages < 20, `${pages} pages`);
    const again = allowance.meter(udp)?.(0);
    assert.ok(again?.ok === false);
    assert.match(again.reason, /the square of its lines/);
    assert.ok(pagesOf(allowance, '/proc/net/udp6') > 4, 'another file has its own');
  });

  it('begins anew after a minute', () => {
    let now = 0;
    const allowance = with500ms(() => now);
    pagesOf(allowance, udp);
    assert.equal(pagesOf(allowance, udp), 0);
    now = 61_000;
    assert.ok(pagesOf(allowance, udp) > 4);
  });

  it('is not asked about short files, nor about others', () => {
    const allowance = with500ms();
    for (let file = 0; file < 1000; file += 1) assert.equal(pagesOf(allowance, udp, 4), 4);
    assert.equal(allowance.meter('/proc/stat'), undefined);
  });
});
