// EXITINFO1 and EXITINFO2 of an SVM exit in words. APM vol. 2, "Intercept Operation"; layouts: machine/src/svm/intercept-io.ts.

import {exceptionAt} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {SvmExitInformation} from '@hyperscope/machine';
import {portName} from './port-names.js';

const IOIO = 0x7b;
const MSR = 0x7c;
const PAGE_FAULT = 0x4e;
const FIRST_EXCEPTION = 0x40;
const LAST_EXCEPTION = 0x5f;
const NESTED_PAGE_FAULT = 0x400;

/** What EXITINFO1 and EXITINFO2 say, where they say something. */
export function describeSvmExit(svm: SvmExitInformation): string | undefined {
  switch (svm.code) {
    case IOIO:
      return describePort(svm.info1);
    case MSR:
      return svm.info1 === 0n ? 'RDMSR' : 'WRMSR';
    case NESTED_PAGE_FAULT:
      return describeNestedFault(svm);
    case PAGE_FAULT:
      return `at linear address ${hex(svm.info2)}, error code ${hex(svm.info1)}`;
    default:
      return svm.code > FIRST_EXCEPTION && svm.code <= LAST_EXCEPTION
        ? exceptionAt(svm.code - FIRST_EXCEPTION)?.title
        : undefined;
  }
}

function describePort(info: bigint): string {
  const port = Number((info >> 16n) & 0xffffn);
  const bytes = (info & 0x10n) !== 0n ? 1 : (info & 0x20n) !== 0n ? 2 : 4;
  const name = portName(port);
  const what = `${(info & 1n) === 1n ? 'IN from' : 'OUT to'} port ${hex(port)}${name === undefined ? '' : `, ${name}`}`;
  return `${what}, ${bytes} byte${bytes === 1 ? '' : 's'}${(info & 4n) === 0n ? '' : ', a string'}${(info & 8n) === 0n ? '' : ' with REP'}`;
}

function describeNestedFault({info1, info2}: SvmExitInformation): string {
  const access = (info1 & 0x10n) !== 0n ? 'fetch from' : (info1 & 2n) !== 0n ? 'write to' : 'read of';
  const why = (info1 & 1n) === 0n ? 'the nested tables do not map it' : 'the nested tables forbid it';
  const where = (info1 & (1n << 33n)) === 0n ? '' : ', on the way through the guest’s own page tables';
  return `${access} guest-physical address ${hex(info2)}: ${why}${where}`;
}
