// The VMCB of the guest that runs, or ran last, as the inspector shows it: by area, decoded, with what the last step changed.

import {SVM_INTERCEPT_BITS, VMCB_FIELDS, svmExitCode} from '@hyperscope/isa';
import type {VmcbArea, VmcbField} from '@hyperscope/isa';
import {hex} from '@hyperscope/base';
import type {Moment} from '@hyperscope/trace';
import {controlBlockRows} from './control-block-rows.js';

const AREA_TITLES: Readonly<Record<VmcbArea, string>> = {
  exit: 'Exit information',
  control: 'Controls',
  save: 'Guest state',
};
const AREA_ORDER: readonly VmcbArea[] = ['exit', 'control', 'save'];
const FIELDS = AREA_ORDER.flatMap(area => VMCB_FIELDS.filter(field => field.area === area));
const ALWAYS = new Set(['EXITCODE', 'EXITINFO1', 'EXITINFO2', 'RIP', 'RSP', 'RAX', 'RFLAGS', 'CR0', 'CR3']);
const WORDS: Readonly<Record<string, 3 | 4 | 5>> = {INTERCEPT_WORD_3: 3, INTERCEPT_WORD_4: 4, INTERCEPT_WORD_5: 5};

/** The fields that hold something, or that changed. Both are the bytes of a page; `before` is one step earlier. */
export function vmcbPanel(page: Uint8Array | undefined, before: Uint8Array | undefined): Moment['vmcs'] {
  if (page === undefined) return [];
  return controlBlockRows(FIELDS, {
    areaTitle: field => AREA_TITLES[field.area],
    read: field => read(page, field),
    readBefore: field => (before === undefined ? undefined : read(before, field)),
    always: ALWAYS,
    valueText,
    meaningText,
  });
}

/** A field, little-endian. */
function read(page: Uint8Array, {offset, bytes}: VmcbField): bigint {
  let value = 0n;
  for (let index = bytes - 1; index >= 0; index--) value = (value << 8n) | BigInt(page[offset + index] ?? 0);
  return value;
}

function valueText(field: VmcbField, value: bigint): string {
  if (field.name !== 'EXITCODE') return hex(value, field.bytes === 2 ? 4 : 1);
  const {code, title} = svmExitCode(Number(BigInt.asIntN(64, value)));
  return code < 0 ? `−1 ${title}` : `${code.toString(16).toUpperCase()}h ${title}`;
}

function meaningText(field: VmcbField, value: bigint): string {
  const word = WORDS[field.name];
  if (word === undefined) return field.title;
  const on = SVM_INTERCEPT_BITS.filter(each => each.word === word && ((value >> BigInt(each.bit)) & 1n) === 1n);
  return `${field.title}: ${on.length === 0 ? 'none' : on.map(each => each.name).join(', ')}`;
}
