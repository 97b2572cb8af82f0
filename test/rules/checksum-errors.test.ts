import { checksumErrors } from '../../src/rules/checksum-errors.ts';
import { ruleCases } from '../support/cases.ts';
import { lossCases } from '../support/losses.ts';

ruleCases(checksumErrors, [
  ...lossCases({ field: 'Udp_InCsumErrors', reason: 'UDP_CSUM', location: '__udp4_lib_rcv' }),
]);
