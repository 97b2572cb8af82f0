import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';

import { errnoReason, ifAllowed, refusal, systemErrorReason, systemRefusal } from '../../src/base/errno.ts';

function thrownBy(how: () => unknown): unknown {
  try {
    how();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('errno in words', () => {
  it('has the words and the code, whichever sign the number has', () => {
    assert.equal(errnoReason(13), 'permission denied (EACCES)');
    assert.equal(errnoReason(-95), 'operation not supported (EOPNOTSUPP)');
    assert.equal(errnoReason(5), 'input/output error (EIO)');
    assert.equal(errnoReason(524), 'operation not supported by this driver (ENOTSUPP)');
    assert.equal(errnoReason(500), 'unknown error (errno 500)');
  });

  it('knows what a BPF program can be refused with', () => {
    for (const name of [
      'E2BIG',
      'EACCES',
      'EBUSY',
      'EEXIST',
      'EFAULT',
      'EINVAL',
      'ENOENT',
      'ENOMEM',
      'ENOSPC',
      'EPERM',
    ])
      assert.match(errnoReason(-constants.errno[name as 'EPERM']), new RegExp(`^[a-z].* \\(${name}\\)$`));
  });

  it('is a value beside its words, whatever was refused', () => {
    assert.deepEqual(refusal(-19, 'ethtool'), {
      ok: false,
      reason: 'ethtool: no such device (ENODEV)',
      errno: 'ENODEV',
    });
    assert.deepEqual(refusal('EACCES'), refusal(13));
    const absent = thrownBy(() => readFileSync('/proc/nothing'));
    assert.deepEqual(systemRefusal(absent, 'it'), refusal(2, 'it'));
  });

  it('says the same of what node:fs throws, and passes on what is our own bug', () => {
    const absent = thrownBy(() => readFileSync('/proc/nothing'));
    assert.equal(systemErrorReason(absent), 'no such file or directory (ENOENT)');
    assert.equal(
      ifAllowed(() => readFileSync('/proc/nothing')),
      undefined,
    );
    const bug = new TypeError('ours');
    assert.throws(() => {
      systemErrorReason(bug);
    }, bug);
    const throwBug = (): never => {
      throw bug;
    };
    assert.throws(() => {
      ifAllowed(throwBug);
    }, bug);
  });
});
