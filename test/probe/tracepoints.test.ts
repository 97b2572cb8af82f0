import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fail, ok, type Result } from '../../src/base/result.ts';
import type { Libbpf, LoadedObject, MapFd } from '../../src/probe/libbpf.ts';
import { Tracepoints } from '../../src/probe/tracepoints.ts';

/** A kernel that takes links and refuses what it is told to; and the links that are there. */
function kernel() {
  const state = { links: 0, refuseWrites: false, refuseLinks: false };
  const bpf = {
    linkTracing: (): Result<number> => {
      if (state.refuseLinks) return fail('too many open files (EMFILE)');
      state.links += 1;
      return ok(state.links);
    },
    closeLink: () => void (state.links -= 1),
    closeLinkAside: () => {
      state.links -= 1;
      return Promise.resolve();
    },
    writeOnly: (): Result<void> => (state.refuseWrites ? fail('no memory (ENOMEM)') : ok(undefined)),
  } as unknown as Libbpf;
  const object = { program: () => ok(1), rawTracepoint: () => null } as unknown as LoadedObject;
  const tracepoints = new Tracepoints(bpf, 1 as unknown as MapFd);
  assert.ok(tracepoints.attach(object, ['one', 'two']).ok);
  return { state, tracepoints };
}

describe('the tracepoints of a session', () => {
  it('say so where they stay although their shift is over', async () => {
    const { state, tracepoints } = kernel();
    state.refuseWrites = true;
    assert.ok(!(await tracepoints.rest()).ok);
    assert.ok(tracepoints.attached);
    assert.equal(state.links, 2);
    assert.match(tracepoints.trouble ?? '', /could not be told to rest: no memory/);
  });

  it('say so where they are there and time nothing', async () => {
    const { state, tracepoints } = kernel();
    assert.ok((await tracepoints.rest()).ok);
    state.refuseWrites = true;
    assert.ok(!(await tracepoints.resume()).ok);
    assert.match(tracepoints.trouble ?? '', /could not be told to go on: no memory/);
  });

  it('are all away where one of them does not come back, and say so', async () => {
    const { state, tracepoints } = kernel();
    assert.ok((await tracepoints.rest()).ok);
    assert.equal(state.links, 0);
    state.refuseLinks = true;
    assert.ok(!(await tracepoints.resume()).ok);
    assert.equal(state.links, 0);
    assert.equal(tracepoints.attached, false);
    assert.match(tracepoints.trouble ?? '', /could not be attached again: too many open files/);
  });
});
